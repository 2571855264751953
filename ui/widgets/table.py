"""Draw tables as plain HTML, without Streamlit's own tables.

Those would load the libraries pandas and pyarrow, which need 100 MB of memory.
"""

from collections.abc import Collection, Iterable, Sequence
from html import escape

import streamlit as st

from ui.i18n.words import TEMPLATES


def draw(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Collection[int] = (),
    caption_hidden: bool = False,
) -> None:
    """Draw a table. If it is wider than the screen, the visitor can scroll it sideways.

    Args:
        caption: The title of the table.
        heads: The texts at the top of the columns.
        rows: The cells of each row. The first cell says what the row is about.
        numbers: The indices of the columns with numbers, which are aligned right.
        caption_hidden: Whether the title is only for screen readers, and invisible. This is useful
            if a heading above the table already has the same text.
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
    title = "" if caption_hidden else f"<caption>{escape(caption)}</caption>"
    style = (TEMPLATES / "table.html").read_text("utf-8")
    # `tabindex` lets visitors without a mouse select a wide table, and scroll it with the keys.
    st.html(
        f'{style}<div class="facts" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"<table>{title}<thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
