"""Choose the language in which a visitor sees the page."""

from ui.i18n.words import LANGUAGES


def choose(requested: str | None, remembered: str | None, accepted: str | None) -> str:
    """Return the code of one of the UI's languages.

    Args:
        requested: The language in the address.
        remembered: The language that this browser showed last, from its cookie.
        accepted: The header `Accept-Language`, with the browser's own languages.
    """
    wanted = [requested or "", remembered or "", *_by_preference(accepted or "")]
    return next((each for each in wanted if each in LANGUAGES), next(iter(LANGUAGES)))


def _by_preference(accepted: str) -> list[str]:
    """Return the languages in the header, without countries, the most wanted first."""
    ranked = []
    for each in accepted.split(","):
        tag, _, quality = each.partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        ranked.append((weight, tag.strip().split("-")[0].lower()))
    return [tag for _, tag in sorted(ranked, key=lambda pair: -pair[0])]
