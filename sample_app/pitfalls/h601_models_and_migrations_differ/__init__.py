"""A column was added to a model, and no migration adds it to the table.

The tests make their tables from the models and pass; production migrates, and fails at the first query. Opt-in, because
the rule needs a database that was made by the migrations: `harness_schema = alembic`.
"""

from sample_app.pitfalls.pair import SYNC, Pair

PAIR = Pair(code="H601", package=__name__, variants=SYNC)
