import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_call_that_hangs_does_not_keep_the_process_alive():
    code = """
import asyncio, threading
from app.outside_calls import OutsideCalls

async def main():
    calls = OutsideCalls(1, 60, print)
    begun = threading.Event()
    call = asyncio.ensure_future(calls.run(lambda _: begun.set() or threading.Event().wait(), ""))
    while not begun.is_set():
        await asyncio.sleep(0.01)

asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
