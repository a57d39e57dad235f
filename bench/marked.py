"""Tables of figures in documents, each between a comment with its name and one that says `end`."""

from collections.abc import Mapping, Sequence

Rows = Sequence[Sequence[str]]
"""A table, its head first."""


def put_into(text: str, tables: Mapping[str, Rows]) -> str:
    """The document with each table in the place that has its name. Raises ValueError where there is none."""
    for name, rows in tables.items():
        before, mark, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("\n<!-- end -->")
        if not (mark and end):
            raise ValueError(f"no place for {name}")
        text = f"{before}{mark}{_markdown(rows)}{end}{after}"
    return text


def _markdown(rows: Rows) -> str:
    head, *others = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, f"| {' | '.join('---' for _ in rows[0])} |", *others])
