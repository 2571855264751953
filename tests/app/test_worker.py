import asyncio

from app.logs import REQUEST_ID
from app.worker import Worker
from tests.support.running_async import run_async


def test_pieces_of_several_requests_take_turns():
    done: list[str] = []

    async def request(worker: Worker, name: str) -> None:
        for _ in range(3):
            await worker.run(done.append, name)

    async def two_requests() -> None:
        worker = Worker()
        await asyncio.gather(request(worker, "a"), request(worker, "b"))
        worker.close()

    run_async(two_requests())
    assert done == ["a", "b"] * 3


def test_piece_knows_the_request_it_belongs_to():
    async def request() -> str | None:
        REQUEST_ID.set("of-this-test")
        return await Worker().run(REQUEST_ID.get)

    assert run_async(request()) == "of-this-test"
