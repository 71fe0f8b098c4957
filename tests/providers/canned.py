"""A transport that has the same answer to everything, and keeps what it was asked."""

import json

from ingather.transport import Reply


class Canned:
    def __init__(self, body, status=200, headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.reply = Reply(
            status, {name.lower(): value for name, value in (headers or {}).items()}, data
        )
        self.asked = []

    async def post(self, endpoint, body):
        self.asked.append((endpoint, json.loads(body)))
        return self.reply

    async def aclose(self):
        pass
