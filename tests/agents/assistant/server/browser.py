"""A headless Chromium over its DevTools protocol: pages opened, keys pressed, screenshots."""

import asyncio
import base64
import json
import shutil
import subprocess
from contextlib import asynccontextmanager

import aiohttp

KEYS = {
    "Enter": {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Tab": {"code": "Tab", "windowsVirtualKeyCode": 9},
    "Escape": {"code": "Escape", "windowsVirtualKeyCode": 27},
    " ": {"code": "Space", "windowsVirtualKeyCode": 32, "text": " "},
}
SECONDS = 60.0  # on a busy machine


def chromium():
    """The browser's path, None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Page:
    """One tab."""

    def __init__(self, socket):
        self._socket, self._count = socket, 0
        self.errors = []  # what scripts threw, and what the policy of the page refused

    async def call(self, method, **parameters):
        """The result of one command."""
        self._count += 1
        await self._socket.send_json({"id": self._count, "method": method, "params": parameters})
        async with asyncio.timeout(SECONDS):
            while True:
                message = json.loads((await self._socket.receive()).data)
                self._watch(message)
                if message.get("id") == self._count:
                    assert "error" not in message, message
                    return message["result"]

    def _watch(self, message):
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(message["params"]["exceptionDetails"]["text"])
        if message.get("method") == "Log.entryAdded":
            entry = message["params"]["entry"]
            if entry["level"] == "error" and entry["source"] in ("security", "javascript"):
                self.errors.append(entry["text"])
        if message.get("method") == "Page.javascriptDialogOpening":
            self.errors.append("a dialog was opened")

    async def value(self, script):
        """What an expression of JavaScript comes to; a promise is waited for."""
        found = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, script):
        """Wait until an expression is true."""
        async with asyncio.timeout(SECONDS):
            while not await self.value(f"Boolean({script})"):
                await asyncio.sleep(0.05)

    async def show(self, width, height, scheme):
        """The size of the window, and whether the reader prefers light or dark."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def open(self, url):
        """Load a page and wait until it is ready to be used."""
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete' && document.querySelector('.answer')")

    async def type(self, text):
        """Type text where the focus is."""
        await self.call("Input.insertText", text=text)

    async def press(self, key, *, shift=False):
        """Press a key."""
        facts = {"key": key, "modifiers": 8 if shift else 0, **KEYS[key]}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **facts)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def focus(self):
        """The name of what has the focus, as a screen reader would say it."""
        return await self.value(
            "(e => e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent)"
            "(document.activeElement)"
        )

    async def shot(self, path):
        """A screenshot."""
        found = await self.call("Page.captureScreenshot")
        path.write_bytes(base64.b64decode(found["data"]))


@asynccontextmanager
async def browsing(folder):
    """A page in a browser of its own, whose profile lies in `folder`."""
    words = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    process = subprocess.Popen(
        [*words, f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        written = folder / "DevToolsActivePort"
        async with asyncio.timeout(SECONDS):
            while not (written.exists() and len(written.read_text().split()) == 2):
                await asyncio.sleep(0.05)
        port = written.read_text().split()[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as listed:
                tab = next(t for t in await listed.json() if t["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                for part in ("Page", "Runtime", "Log"):
                    await page.call(f"{part}.enable")
                yield page
    finally:
        process.terminate()
        process.wait(30)
