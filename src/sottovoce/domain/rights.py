"""What each role may do with each interface of the after-call half: one table, no empty cell.

`all`    anything of the tenant
`group`  what belongs to the groups that the user leads (their members, or what they and the user made);
         of samples: calls of the agents in them
`own`    what is the user's own: made, appointed, handled by, or about the user
`no`     nothing
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sottovoce.domain.grids import read_grid, words
from sottovoce.domain.people import Role, User
from sottovoce.errors import Code, Refused


class Scope(StrEnum):
    """How far a right reaches."""

    ALL = "all"
    GROUP = "group"
    OWN = "own"
    NO = "no"


class Operation(StrEnum):
    """What can be asked for; most are one interface each (its path stands in `contracts/cc-sqm.yaml`)."""

    CREATE_TASK = "create_task"
    UPDATE_TASK = "update_task"
    DELETE_TASK = "delete_task"
    APPOINT_TASK = "appoint_task"
    TAKE_EFFECT = "take_effect"
    TERMINATE_TASK = "terminate_task"
    QUERY_TASKS = "query_tasks"
    QUERY_TASK_ITEMS = "query_task_items"
    REVISE_RESULT = "revise_result"
    COMPLETE_ITEM = "complete_item"
    ADD_PLAN = "add_plan"
    UPDATE_PLAN = "update_plan"
    BEGIN_PLAN = "begin_plan"
    STOP_PLAN = "stop_plan"
    DELETE_PLAN = "delete_plan"
    QUERY_PLANS = "query_plans"
    QUERY_CONTACTS = "query_contacts"
    SHOW_CONTACT = "show_contact"
    HEAR_RECORDING = "hear_recording"
    """Of the native interface; no page has it."""
    FILE_APPEAL = "file_appeal"
    QUERY_QUALITY_ITEMS = "query_quality_items"
    SHOW_QUALITY_ITEM = "show_quality_item"
    SHOW_QUALITY_SCORES = "show_quality_scores"
    SHOW_QUALITY_HISTORY = "show_quality_history"
    JUDGE_QUALITY_ITEM = "judge_quality_item"
    REASSIGN_QUALITY_ITEM = "reassign_quality_item"
    REVISE_QUALITY_ITEM = "revise_quality_item"
    EDIT_SCORE_PROFILES = "edit_score_profiles"
    QUERY_SCORE_PROFILES = "query_score_profiles"
    EDIT_SCENARIOS = "edit_scenarios"
    QUERY_SCENARIOS = "query_scenarios"


_GRID = """
                      quality_director  quality_leader  inspector  table_director  table_leader  staff
create_task           all               group           no         no              no            no
update_task           all               own             no         no              no            no
delete_task           all               own             no         no              no            no
appoint_task          all               own             no         no              no            no
take_effect           all               own             no         no              no            no
terminate_task        all               own             no         no              no            no
query_tasks           all               group           own        all             group         own
query_task_items      all               group           own        all             group         own
revise_result         own               own             own        no              no            no
complete_item         own               own             own        no              no            no
add_plan              all               group           no         no              no            no
update_plan           all               own             no         no              no            no
begin_plan            all               own             no         no              no            no
stop_plan             all               own             no         no              no            no
delete_plan           all               own             no         no              no            no
query_plans           all               own             no         no              no            no
query_contacts        all               all             all        all             group         own
show_contact          all               all             all        all             group         own
hear_recording        all               all             all        all             group         own
file_appeal           no                no              no         no              no            own
query_quality_items   all               group           own        all             group         own
show_quality_item     all               group           own        all             group         own
show_quality_scores   all               group           own        all             group         own
show_quality_history  all               group           own        all             group         own
judge_quality_item    all               own             own        all             own           no
reassign_quality_item all               group           no         all             no            no
revise_quality_item   own               own             own        no              no            no
edit_score_profiles   all               no              no         no              no            no
query_score_profiles  all               all             all        all             no            no
edit_scenarios        all               no              no         no              no            no
query_scenarios       all               all             all        all             no            no
"""
RIGHTS = read_grid(_GRID, Role, Operation, words(Scope))
_WIDEST_FIRST = tuple(Scope)


def scope(user: User, operation: Operation, acting_as: Role | None = None) -> Scope:
    """How far the user's right reaches: by `acting_as` alone if given, else by the widest of all roles.

    Refused(NO_RIGHT) where it reaches nothing, or the user does not have the role `acting_as`.
    """
    roles: Iterable[Role] = user.roles
    if acting_as is not None:
        if acting_as not in user.roles:
            raise Refused(Code.NO_RIGHT, f"user {user.user} is no {acting_as}")
        roles = (acting_as,)
    reached = {RIGHTS[role, operation] for role in roles} | {Scope.NO}
    widest = next(one for one in _WIDEST_FIRST if one in reached)
    if widest is Scope.NO:
        raise Refused(Code.NO_RIGHT, f"user {user.user} has no right to {operation}")
    return widest
