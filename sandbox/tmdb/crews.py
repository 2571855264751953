"""Invent the crew of each film, such as producers and editors, but not directors and writers.

The people in these crews do not affect the film's rating.
"""

from collections.abc import Iterator

from sandbox.tmdb.films import CrewMember
from sandbox.tmdb.hashing import FIRST_INVENTED_ID, stable_hash
from sandbox.tmdb.names import invented_person

# TMDB's departments and some of their jobs. An assistant director is in the department Directing,
# but does not direct the film.
JOBS: tuple[tuple[str, str], ...] = (
    ("Production", "Producer"),
    ("Production", "Executive Producer"),
    ("Production", "Casting"),
    ("Camera", "Director of Photography"),
    ("Editing", "Editor"),
    ("Sound", "Original Music Composer"),
    ("Sound", "Sound Designer"),
    ("Art", "Production Design"),
    ("Art", "Art Direction"),
    ("Costume & Make-Up", "Costume Design"),
    ("Visual Effects", "Visual Effects Supervisor"),
    ("Lighting", "Gaffer"),
    ("Directing", "First Assistant Director"),
    ("Directing", "Script Supervisor"),
    ("Crew", "Stunts"),
)
KNOWN_SHARE = 0.7  # of films with a person in each of these jobs
PEOPLE_PER_JOB = 30  # in one language
_FIRST_ID = FIRST_INVENTED_ID + 3_000_000


def crew(film_id: int, language: str) -> tuple[CrewMember, ...]:
    """Return the invented crew of a film, always the same people for the same film.

    Args:
        film_id: The film's id.
        language: The film's language, in which all people of the crew work.
    """
    return tuple(_draw(film_id, language))


def _draw(film_id: int, language: str) -> Iterator[CrewMember]:
    # A person has one job and works in one language, as all invented people do.
    pool = _FIRST_ID + stable_hash(language, size=2) * len(JOBS) * PEOPLE_PER_JOB
    drawn = stable_hash(film_id, "crew", size=3 * len(JOBS))
    for number, (department, job) in enumerate(JOBS):
        drawn, dice = divmod(drawn, 1 << 24)
        if dice % 1000 < 1000 * KNOWN_SHARE:
            person_id = pool + number * PEOPLE_PER_JOB + dice // 1000 % PEOPLE_PER_JOB
            yield CrewMember(invented_person(person_id, language), department, job)
