"""Take a picture of the page of export_model --formats=web, at work in a browser.

    python docs/pictures/draw_page.py exported/web page.jpg

It needs Chromium, and pip install playwright.
"""

import io
import os
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from export.web.browser import CHROMIUM, find_browser
from export.web.server import PageServer, reader_of_folder

SIZE = {"width": 1000, "height": 860}


def main(folder: str, output: str) -> None:
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with PageServer(reader_of_folder(Path(folder))) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_browser(CHROMIUM), args=sandbox)
        page = browser.new_page(viewport=SIZE)
        page.goto(server.address)
        page.wait_for_selector("body[data-state=ready]")
        page.click("#example")
        page.wait_for_function(
            "() => [...document.querySelectorAll('.style canvas')].every(({width}) => width === 160)"
        )
        screenshot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
        browser.close()
    screenshot.save(output, quality=85, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
