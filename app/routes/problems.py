"""The pages that explain problems; the `type` of a problem is the path of its page."""

from html import escape
from typing import Final

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from app.field_errors import CODES
from app.problem_types import PAGES, PROBLEM_TYPES, ProblemType

# People read these pages, so the description for programs leaves them out.
router = APIRouter(include_in_schema=False)

_BY_NAME: Final = {kind.name: (status, kind) for status, kind in PROBLEM_TYPES.items()}


@router.get(PAGES, response_class=HTMLResponse)
async def list_of_problems() -> str:
    """Return the page that lists all kinds of problems."""
    rows = "".join(
        f'<li><a href="{kind.uri}">{escape(kind.title)}</a> ({status.value})</li>'
        for status, kind in PROBLEM_TYPES.items()
    )
    return _page("Problems that this API reports", f"<ul>{rows}</ul>")


@router.get(f"{PAGES}/{{name}}", response_class=HTMLResponse)
async def problem_page(name: str) -> str:
    """Return the page about one kind of problem."""
    if name not in _BY_NAME:
        raise HTTPException(404, f"there is no such kind of problem; {PAGES} lists all kinds")
    status, kind = _BY_NAME[name]
    codes = _codes() if kind.name == "invalid-input" else ""
    return _page(kind.title, f"<p>HTTP status {status.value}</p>{_explanation(kind)}{codes}")


def _explanation(kind: ProblemType) -> str:
    return (
        f"<h2>When it occurs</h2><p>{escape(kind.cause)}</p>"
        f"<h2>What you can do</h2><p>{escape(kind.remedy)}</p>"
        f'<p><a href="{PAGES}">All problems</a></p>'
    )


def _codes() -> str:
    rows = "".join(
        f"<dt><code>{code}</code></dt><dd>{escape(meaning)}</dd>" for code, meaning in CODES.items()
    )
    return f"<h2>Codes of invalid fields</h2><dl>{rows}</dl>"


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head><body><h1>{escape(title)}</h1>{content}</body></html>"
    )
