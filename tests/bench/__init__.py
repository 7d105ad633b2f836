"""What Sottovoce costs and how fast it is: `python -m tests.bench`, or `make bench`.

Each module measures one thing: an async function `measure(say)` that returns a `tables.Table`; `say`
shows progress. `__main__` runs them in turn, prints the tables and writes docs/benchmarks.md.
The load and the bare echo that the worker is compared with are processes of their own
(`load`, `echo`), started by `legs`. Importing the package runs nothing, and pytest collects nothing here.
"""
