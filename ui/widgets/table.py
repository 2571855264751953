"""Draw tables as plain HTML, without Streamlit's own tables.

Those would load the libraries pandas and pyarrow, which need 100 MB of memory.
"""

from collections.abc import Collection, Iterable, Sequence
from html import escape
from itertools import chain, repeat

import streamlit as st

from ui.i18n.words import TEMPLATES


def draw(  # noqa: PLR0913 - a table has that many properties
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Collection[int] = (),
    caption_hidden: bool = False,
    addresses: Sequence[str | None] = (),
) -> None:
    """Draw a table. If it is wider than the screen, the visitor can scroll it sideways.

    Args:
        caption: The title of the table.
        heads: The texts at the top of the columns.
        rows: The cells of each row. The first cell says what the row is about.
        numbers: The indices of the columns with numbers, which are aligned right.
        caption_hidden: Whether the title is only for screen readers, and invisible. This is useful
            if a heading above the table already has the same text.
        addresses: The address to which the first cell of each row leads; None for no link.
    """

    def cell(tag: str, at: int, text: str, scope: str = "") -> str:
        kind = ' class="number"' if at in numbers else ""
        return f"<{tag}{kind}{scope}>{escape(text)}</{tag}>"

    def first(text: str, address: str | None) -> str:
        named = f'<a href="{escape(address)}">{escape(text)}</a>' if address else escape(text)
        return f'<th scope="row">{named}</th>'

    head = "".join(cell("th", at, text, ' scope="col"') for at, text in enumerate(heads))
    body = "".join(
        "<tr>"
        + "".join(
            cell("td", at, text) if at else first(text, address) for at, text in enumerate(row)
        )
        + "</tr>"
        for row, address in zip(rows, chain(addresses, repeat(None)), strict=False)
    )
    title = "" if caption_hidden else f"<caption>{escape(caption)}</caption>"
    style = (TEMPLATES / "table.html").read_text("utf-8")
    # `tabindex` lets visitors without a mouse select a wide table, and scroll it with the keys.
    st.html(
        f'{style}<div class="facts" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"<table>{title}<thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
