"""Write the golden journals and their pictures again."""

from playwright.sync_api import sync_playwright

from tests.golden.pictures import empty_page, pictures_of
from tests.golden.walks import WALKS, file_of
from tests.support.chromium import find_chromium


def main() -> None:
    """Write every file; git shows what has changed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium())
        with empty_page(browser) as page:
            for name, walk in WALKS.items():
                journal = walk.journal()
                file_of(name).write_text(journal)
                for file, picture in pictures_of(page, name, journal).items():
                    file.parent.mkdir(exist_ok=True)
                    file.write_text(picture)
        browser.close()


if __name__ == "__main__":
    main()
