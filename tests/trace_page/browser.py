"""Debian's chromium without a window, driven over its debugging pipe; nothing but Python's own library.

One Browser is one process with a profile of its own, which goes away with it. Commands are answered in order; events
that come meanwhile are kept: what the page wrote to its console, what it asked the network for, what it threw.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_browser():
    """The path of a browser, or None. $CHROMIUM comes first."""
    for name in (os.environ.get("CHROMIUM"), *NAMES):
        path = shutil.which(name) if name else None
        if path:
            return path
    return None


class PageError(Exception):
    pass


class Browser:
    def __init__(self, path, width=1280, height=800, dark=False):
        self.profile = tempfile.mkdtemp(prefix="muster-page-")
        to_read, self.to = os.pipe()
        self.fro, to_write = os.pipe()
        # The browser reads commands from 3 and writes answers to 4.
        low, high = 3, 4
        held = [os.open(os.devnull, os.O_RDONLY) for _ in range(4)]  # so that 3 and 4 are nobody's in what follows

        def plumb():
            a, b = os.dup(to_read), os.dup(to_write)
            a = os.dup2(a, 20)
            b = os.dup2(b, 21)
            os.dup2(a, low)
            os.dup2(b, high)

        self.process = subprocess.Popen(
            [
                path,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-extensions",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--hide-scrollbars",
                "--force-device-scale-factor=1",
                "--remote-debugging-pipe",
                "--user-data-dir=" + self.profile,
                f"--window-size={width},{height}",
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=plumb,
            close_fds=False,
            env={**os.environ, "HOME": self.profile},
        )
        for each in (to_read, to_write, *held):
            os.close(each)
        self.buffer = b""
        self.number = 0
        self.session = None
        self.forget()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")
        self.resize(width, height)
        self.set_dark(dark)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close", patience=10)
        except (PageError, OSError):
            pass
        os.close(self.to)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.fro)
        shutil.rmtree(self.profile, ignore_errors=True)

    def forget(self):
        self.console = []  # errors and warnings, as texts
        self.requests = []  # addresses

    # ---- the pipe ------------------------------------------------------------------------------------------------

    def call(self, method, patience=100, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        rest = json.dumps(message).encode() + b"\0"
        while rest:
            rest = rest[os.write(self.to, rest) :]
        wanted = self.number
        while True:
            answer = self.receive(patience)
            if answer.get("id") == wanted:
                if "error" in answer:
                    raise PageError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.take_note(answer)

    def receive(self, patience):
        end = time.monotonic() + patience
        while b"\0" not in self.buffer:
            if not select.select([self.fro], [], [], max(0, end - time.monotonic()))[0]:
                raise PageError("the browser does not answer")
            part = os.read(self.fro, 1 << 20)
            if not part:
                raise PageError("the browser has ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def take_note(self, event):
        method, said = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            self.console.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning", "assert"):
            self.console.append(" ".join(str(each.get("value", each.get("description"))) for each in said["args"]))
        elif method == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning"):
            self.console.append(said["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])

    # ---- the page ------------------------------------------------------------------------------------------------

    def open(self, file):
        """Loads the file and waits until the page says that it is ready; its own figures, in milliseconds."""
        self.forget()
        self.call("Page.navigate", url="file://" + os.path.abspath(file))
        return self.until("document.documentElement?.dataset.ready || ''")

    def run(self, script):
        """The value of a JavaScript expression, after the frame in which it was asked for has been drawn."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def settle(self):
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def until(self, script, patience=90):
        end = time.monotonic() + patience
        while True:
            value = self.run(script)
            if value:
                return value
            if time.monotonic() > end:
                raise PageError(f"waited in vain for: {script}\n" + "\n".join(self.console))
            time.sleep(0.02)

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def texts(self, selector):
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(each => each.innerText)")

    KEYS = {
        "Enter": 13,
        "Escape": 27,
        "ArrowLeft": 37,
        "ArrowUp": 38,
        "ArrowRight": 39,
        "ArrowDown": 40,
        "Home": 36,
        "End": 35,
        "PageUp": 33,
        "PageDown": 34,
        "Tab": 9,
    }

    def key(self, key, times=1, modifiers=0):
        for _ in range(times):
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            self.call(
                "Input.dispatchKeyEvent",
                type="keyDown" if text else "rawKeyDown",
                key=key,
                text=text,
                windowsVirtualKeyCode=self.KEYS.get(key, 0),
                modifiers=modifiers,
            )
            self.call(
                "Input.dispatchKeyEvent",
                type="keyUp",
                key=key,
                windowsVirtualKeyCode=self.KEYS.get(key, 0),
                modifiers=modifiers,
            )
        self.settle()

    def type(self, text):
        self.call("Input.insertText", text=text)
        self.settle()

    def box(self, selector):
        """left, top, width, height of an element."""
        return self.run(
            f"(b => [b.left, b.top, b.width, b.height])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, selector, across=0.5, down=0.5, count=1):
        left, top, width, height = self.box(selector)
        self.click_at(left + width * across, top + height * down, count)

    def click_at(self, x, y, count=1):
        self.mouse("mouseMoved", x, y)
        for n in range(1, count + 1):
            self.mouse("mousePressed", x, y, button="left", clickCount=n)
            self.mouse("mouseReleased", x, y, button="left", clickCount=n)
        self.settle()

    def drag(self, x1, y1, x2, y2):
        self.mouse("mouseMoved", x1, y1)
        self.mouse("mousePressed", x1, y1, button="left", clickCount=1)
        for step in range(1, 6):
            self.mouse("mouseMoved", x1 + (x2 - x1) * step / 5, y1 + (y2 - y1) * step / 5, button="left", buttons=1)
        self.mouse("mouseReleased", x2, y2, button="left", clickCount=1)
        self.settle()

    def wheel(self, x, y, delta, modifiers=0):
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=delta, modifiers=modifiers)
        self.settle()

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def set_dark(self, dark):
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )

    def screenshot(self, file):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(file, "wb") as out:
            out.write(base64.b64decode(data))
