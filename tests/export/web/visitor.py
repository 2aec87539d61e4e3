"""A visitor of the page, in a browser without a window."""

import io
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

PATIENCE_MS = 120_000


class Visitor:
    """A visitor with an empty profile.

    Attributes:
      page: the page in Playwright.
      errors: what the console and the page reported as errors.
      hosts: the origins of all requests.
    """

    def __init__(self, context, address):
        self.context = context
        self.address = address
        self.page = context.new_page()
        self.errors = []
        self.hosts = set()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        context.on("request", lambda request: self.hosts.add(_origin(request.url)))

    def open(self, query=""):
        self.page.goto(self.address + query)
        self.wait_for_state("ready", "problem")

    def leave(self):
        self.context.close()

    def choose(self, *files, until=("ready", "problem")):
        """Choose files, (name, content) each, and wait until the first one is drawn or refused."""
        payload = [{"name": name, "mimeType": "", "buffer": content} for name, content in files]
        self.page.evaluate("document.getElementById('status').textContent = ''")
        self.page.set_input_files("#files", payload)
        self.wait_for_state(*until, told=True)

    def wait_for_state(self, *states, told=False):
        """Wait for a state of the page, and for a sentence about it."""
        is_there = """([states, told]) => {
          const sentences = ['status', 'problem'].map(id => document.getElementById(id).textContent);
          return states.includes(document.body.dataset.state) && (!told || sentences.join(''));
        }"""
        self.page.wait_for_function(is_there, arg=[states, told])

    def save(self, button="#download"):
        """Press a button, and return the name and the content of the file that it saves."""
        with self.page.expect_download() as download:
            self.page.click(button)
        return download.value.suggested_filename, download.value.path().read_bytes()

    @property
    def status(self):
        return self.page.text_content("#status")

    @property
    def problem(self):
        return self.page.text_content("#problem")


def encode(picture, format="PNG", **options):
    """Return the content of a picture file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format, **options)
    return file.getvalue()


def decode(content):
    """Return the pixels of a picture file, RGB without alpha, signed so that they can be compared."""
    return np.asarray(Image.open(io.BytesIO(content)))[..., :3].astype(int)


def _origin(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
