"""A service that turns mails into support tickets."""

from __future__ import annotations

from typing import Literal

from anthropic import Anthropic
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ValidationError

MODEL = "claude-opus-5-5"
LIMITS = (120, 1000)  # most tickets are short; the few that are cut get a second, larger try
SYSTEM = "Read the mail and answer with one JSON object: {title, priority: low | normal | high, steps: [...]}."

app = FastAPI()
client = Anthropic()


class Mail(BaseModel):
    sender: str
    body: str


class Ticket(BaseModel):
    title: str
    priority: Literal["low", "normal", "high"]
    steps: list[str]


@app.post("/tickets")
def create_ticket(mail: Mail) -> Ticket:
    """The ticket for a mail."""
    for limit in LIMITS:
        response = client.messages.create(
            model=MODEL,
            max_tokens=limit,
            system=SYSTEM,
            messages=[{"role": "user", "content": f"From: {mail.sender}\n\n{mail.body}"}],
        )
        if response.stop_reason != "max_tokens":
            break
    if response.stop_reason == "refusal":
        raise HTTPException(422, "the model declined to read this mail")
    if response.stop_reason != "end_turn":
        raise HTTPException(502, f"the model did not finish: {response.stop_reason}")
    text = "".join(block.text for block in response.content if block.type == "text")
    try:
        return Ticket.model_validate_json(text)
    except ValidationError as exc:
        raise HTTPException(502, "the model's answer is no ticket") from exc
