"""The interfaces that are known but not served: each declines in the family's own form, never a success.

Their rows in the ledgers say `pending` or `wont`. They need a token like all others, so that a stranger
learns nothing from them, and no user. The code they answer is inferred, and so are most of their paths:
of many interfaces only the title was found (cc-sqm.md Part 1c).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NoReturn

from sottovoce.errors import Code, Refused
from sottovoce.http.ccsqm.codes import CALLS, RULES, SENSITIVE_WORDS, SENTENCES, Module
from sottovoce.http.ccsqm.visit import SQM, Interface, Visit
from sottovoce.http.ccsqm.words import Form

_PARTS: Mapping[str, tuple[Module, str]] = {
    "appraisecall": (CALLS, "create"),
    "sentencemanage": (
        SENTENCES,
        "querySentence updateSentence deleteSentence querySentencesByCategoryId updateSentenceCategory "
        "deleteSentenceCategory querySentenceCategories createSentence",
    ),
    "sensitiveWordManage": (
        SENSITIVE_WORDS,
        "updateSensitiveWord querySensitiveWordsByCategoryId createSensitiveCategory "
        "moveSensitiveWordToCategory createSensitiveWord updateSensitiveCategory querySensitiveWordDetail",
    ),
    "conversationspecific": (
        RULES,
        "updateConversationSpecific getConversationSpecificById addConversationSpecific "
        "deleteConversationSpecificById",
    ),
    "SemanticKeywordTraining": (SENTENCES, "trainSentence trainSensitiveWord"),
    "conversation-rules": (
        RULES,
        "queryConversationFlow deleteConversationFlow updateConversationFlow addConversationFlow "
        "getOneRule queryRules addRule deleteRule updateRule",
    ),
    "interposal-rules": (RULES, "getInterposalRuleById addInterposalRule updateInterposalRule"),
    "silencerule": (
        RULES,
        "querySilenceRule createSilenceRule querySilenceRules updateSilenceRule deleteSilenceRule",
    ),
    "speedrule": (RULES, "addSpeedRule querySpeedRuleById deleteSpeedRule querySpeedRules updateSpeedRule"),
}


async def _not_served(visit: Visit, form: Form) -> NoReturn:
    """Not served."""
    raise Refused(Code.NOT_SERVED, "the interface is known and not served")


def not_served(base: str, part: str, module: Module, name: str) -> Interface:
    """An interface that is known and not served."""
    return Interface(
        path=f"{base}/{part}/{name}",
        verbs=("POST",),
        name=name,
        form=Form,
        serve=_not_served,
        module=module,
        operation=None,
        failures=(Code.NOT_SERVED,),
    )


def pending() -> Iterator[Interface]:
    """Every interface of CC-SQM that is known and not served."""
    for part, (module, names) in _PARTS.items():
        for name in names.split():
            yield not_served(SQM, part, module, name)
