"""What is changed, what is left alone, and that every change is Python."""

from __future__ import annotations

import ast

from tests.mutants.changes import changes

SOURCE = '''
"""A module, of 7 words."""
LIMIT = 3


def take(count: int = 0, *, fast: bool = False) -> str:
    """Not this 1."""
    assert count != 9
    log.info("taken", count=5)
    if count < LIMIT and not fast:
        raise ValueError(f"ä {count + 1}")
    return Word.ONE if fast else Word.TWO
'''
EXPECTED = """
3: 3 -> 4
3: 3 -> (2)
6: 0 -> 1
6: 0 -> (-1)
6: False -> True
10: count < LIMIT and not fast -> ((count < LIMIT) or (not fast))
10: count < LIMIT and not fast -> ((not fast))
10: count < LIMIT and not fast -> ((count < LIMIT))
10: count < LIMIT -> (count <= LIMIT)
10: not fast -> (bool(fast))
11: raise ValueError(f"ä {count + 1}") -> pass
12: return Word.ONE if fast else Word.TWO -> return None
12: Word.ONE if fast else Word.TWO -> (Word.TWO if fast else Word.ONE)
12: Word.ONE -> Word.TWO
12: Word.TWO -> Word.ONE
"""


def test_every_change_of_a_module() -> None:
    told = [f"{one.line}: {one.old} -> {one.text}" for one in changes(SOURCE)]
    assert sorted(told) == sorted(EXPECTED.strip().splitlines())


def test_each_is_one_change_of_python() -> None:
    for one in changes(SOURCE):
        assert ast.dump(ast.parse(one.made(SOURCE))) != ast.dump(ast.parse(SOURCE))
