"""Judgement: one rule per file, each a pure function from facts to findings."""
