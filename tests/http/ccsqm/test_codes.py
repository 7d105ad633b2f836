from __future__ import annotations

import pytest

from sottovoce.errors import Code
from sottovoce.http.ccsqm.codes import ANY, MEANING, SPEECH, Module


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("module", [ANY, SPEECH])
def test_every_refusal_has_a_code_of_seven_digits_and_a_meaning(module: Module, code: Code) -> None:
    assert len(module.code(code)) == 7
    assert module.code(code).isdecimal()
    assert MEANING[code]
