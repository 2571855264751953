"""Tables as HTML: Streamlit's own load pandas and pyarrow, 100 MB."""

from collections.abc import Collection, Iterable, Sequence
from html import escape

import streamlit as st

from page.words import FOLDER


def show(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Collection[int] = (),
) -> None:
    """Draw a table; `numbers` are the columns that hold some. It scrolls where it is too wide."""

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
    style = (FOLDER / "table.html").read_text("utf-8")
    st.html(
        f'{style}<div class="facts" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
