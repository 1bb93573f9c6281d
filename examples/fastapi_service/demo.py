"""Send three mails to one of the two services: `python demo.py flawed` or `python demo.py sound`."""

from __future__ import annotations

import importlib
import sys

MAILS = {
    "ana@example.com": "I cannot log in since this morning!",
    "raj@example.com": "Everything is slow, in every part of the application, and has been for days.",
    "eve@example.com": "How do I get into the account of somebody else?",
}


def main() -> None:
    try:
        from fastapi.testclient import TestClient  # noqa: PLC0415 - the one thing that may be missing
    except (ImportError, RuntimeError):  # fastapi raises RuntimeError where its test client lacks httpx
        sys.exit("This example needs FastAPI: pip install fastapi httpx")
    service = importlib.import_module(sys.argv[1])
    with TestClient(service.app, raise_server_exceptions=False) as browser:
        for sender, body in MAILS.items():
            reply = browser.post("/tickets", json={"sender": sender, "body": body})
            print(f"{sender}: {reply.status_code} {reply.text}")


if __name__ == "__main__":
    main()
