"""Tables as HTML: Streamlit's own load pandas and pyarrow, 100 MB."""

from collections.abc import Collection, Iterable, Sequence
from html import escape

import streamlit as st

from ui.i18n.words import TEMPLATES


def show(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Collection[int] = (),
    headed: bool = False,
) -> None:
    """Draw a table; it scrolls where it is too wide.

    Args:
        caption: What it shows.
        heads: Over the columns.
        rows: The first cell of each names it.
        numbers: The columns that hold some.
        headed: Whether a heading above says what the caption says, so that only who does not see
            the page needs it.
    """

    def cell(tag: str, at: int, text: str, scope: str = "") -> str:
        kind = ' class="number"' if at in numbers else ""
        return f"<{tag}{kind}{scope}>{escape(text)}</{tag}>"

    head = "".join(cell("th", at, text, ' scope="col"') for at, text in enumerate(heads))
    body = "".join(
        "<tr>"
        + "".join(
            cell("td", at, text) if at else cell("th", at, text, ' scope="row"')
            for at, text in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    title = "" if headed else f"<caption>{escape(caption)}</caption>"
    style = (TEMPLATES / "table.html").read_text("utf-8")
    st.html(
        f'{style}<div class="facts" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"<table>{title}<thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
