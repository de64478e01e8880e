"""A model that always does the same: writes a file with the agent's own tool, then says that it did. Speaks the interfaces of Anthropic and Google.

model.py FILE    writes the number of its port to the file
"""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {"input_tokens": 10, "output_tokens": 5}


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, kind, body):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reply(self, body):
        self.send("application/json", json.dumps(body).encode())

    def stream(self, events):
        self.send("text/event-stream", "".join(events).encode())

    def do_HEAD(self):
        self.send("application/json", b"")

    def do_GET(self):
        self.reply({})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        path = self.path.split("?")[0]
        if path.endswith(("count_tokens", "countTokens")):
            self.reply({"input_tokens": 10, "totalTokens": 10})
        elif path.endswith("/v1/messages"):
            self.anthropic(body)
        elif path.endswith("enerateContent"):
            self.google(body, path.endswith("streamGenerateContent"))
        else:
            self.reply({})

    def anthropic(self, body):
        tools = [tool["name"] for tool in body.get("tools", [])]
        parts = [part for message in body["messages"] if isinstance(message["content"], list) for part in message["content"]]
        used = any(part.get("type") == "tool_result" for part in parts)
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "stop_sequence": None, "usage": USAGE}
        if not body.get("stream"):
            self.reply({**message, "content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn"})
            return
        if "Write" in tools and not used:
            # It wants a whole path; the prompt names the directory.
            directory = re.search(r"/[^\s\"\\]*\.worktrees/[^\s\"\\]*", json.dumps(body)).group(0)
            wanted = {"file_path": f"{directory}/work.txt", "content": "worked\n"}
            block = {"type": "tool_use", "id": "toolu_1", "name": "Write", "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(wanted)}
            stop = "tool_use"
        else:
            block = {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": "I wrote the file."}
            stop = "end_turn"

        def event(kind, **data):
            return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"

        self.stream(
            [
                event("message_start", message={**message, "content": [], "stop_reason": None}),
                event("content_block_start", index=0, content_block=block),
                event("content_block_delta", index=0, delta=delta),
                event("content_block_stop", index=0),
                event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage=USAGE),
                event("message_stop"),
            ]
        )

    def google(self, body, streams):
        tools = [tool["name"] for group in body.get("tools", []) for tool in group.get("functionDeclarations", [])]
        used = any("functionResponse" in part for content in body["contents"] for part in content.get("parts", []))
        part = {"text": "I wrote the file."}
        if "write_file" in tools and not used:
            part = {"functionCall": {"name": "write_file", "args": {"file_path": "work.txt", "content": "worked\n"}}}
        usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
        candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
        answer = {"candidates": [candidate], "usageMetadata": usage}
        if streams:
            self.stream([f"data: {json.dumps(answer)}\r\n\r\n"])
        else:
            self.reply(answer)


server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
with open(sys.argv[1], "w") as file:
    file.write(f"{server.server_address[1]}\n")
server.serve_forever()
