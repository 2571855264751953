from scripts.store.credits import count_credits
from tests.support.films import columns

ADA, BO = {"id": 1, "name": "Ada"}, {"id": 2, "name": "Bo"}
DIRECTS = {"job": "Director", "department": "Directing"}
WRITES = {"job": "Novel", "department": "Writing"}


def film(number: int, *crew: dict[str, object], cast: tuple[dict[str, object], ...] = ()):
    leads = [person | {"order": at} for at, person in enumerate(cast)]
    return {"id": number, "credits": {"cast": leads, "crew": list(crew)}}


def test_films_of_each_department_are_counted():
    films = columns(
        film(1, ADA | DIRECTS, ADA | WRITES, BO | DIRECTS),
        film(2, ADA | WRITES, {"name": "No id", **DIRECTS}, cast=(BO,)),
        film(3, cast=(BO, ADA)),
        {"id": 4, "credits": None},
    )
    people = count_credits([films])
    assert people.keys() == {1, 2}
    assert people[1].films == {"Directing": 1, "Writing": 2, "Acting": 1}
    assert (people[1].name, people[1].department) == ("Ada", "Writing")
    assert (people[2].films["Acting"], people[2].department) == (2, "Acting")


def test_only_leads_are_counted():
    others = tuple({"id": 10 + at, "name": f"Lead {at}"} for at in range(6))
    assert count_credits([columns(film(1, cast=others))]).keys() == {10, 11, 12, 13, 14}
