"""Small random changes of the pure modules, each tried on the tests that should notice it (decision 0017).

`changes` finds them in a module's text, `__main__` tries some of them on copies of this checkout:
`make mutants`, or `python -m tests.mutants --count 300 --minutes 40 --seed 7`. Not a part of `make check`.
"""
