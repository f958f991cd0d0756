"""Generated page views, for messages that no user writes: the same seed gives the same page views."""

from random import Random

from engine.producer.stamps import NO_SERVER, Stamp, stamp_text
from engine.runtime.calendar import wall_text
from engine.runtime.random_draws import draws_below

PAGES = ("/home", "/cart", "/item/9", "/search", "/item/4", "/checkout", "/about", "/item/7")
USERS = 39
FASTEST_MS = 8
SLOWEST_MS = 900
AGENTS = ("Firefox/4.0 Linux", "Chrome/11.0 Windows", "Safari/5.0 Macintosh", "Opera/11.1 Linux")


class PageViews:
    """A source of page views: a line of text each, stamped with the virtual time and, if ``server`` is set, with it."""

    def __init__(self, chance: Random) -> None:
        self.server = NO_SERVER
        self._chance = chance
        self._made = 0
        self._user = draws_below(chance, USERS)
        self._referrer = draws_below(chance, len(PAGES))
        self._took = draws_below(chance, SLOWEST_MS - FASTEST_MS)
        self._agent = draws_below(chance, len(AGENTS))

    def page_view(self, at_us: int) -> bytes:
        """Make one page view of natural length, about 110 to 160 bytes."""
        page = PAGES[self._made % len(PAGES)]
        self._made += 1
        stamp = stamp_text(Stamp(at_us, self.server)) if self.server else wall_text(at_us)
        return (
            f"{page} user-{1 + self._user()} {stamp}"
            f" ref={PAGES[self._referrer()]} session={self._chance.getrandbits(64):016x}"
            f' took={FASTEST_MS + self._took()}ms agent="{AGENTS[self._agent()]}"'
        ).encode()

    def page_view_of(self, at_us: int, size: int) -> bytes:
        """Make one page view of exactly ``size`` bytes: cut off, or padded with a trace id's digits."""
        line = self.page_view(at_us)
        if len(line) + 7 > size:
            return line[:size].ljust(size, b".")
        filler = b" trace="
        digits = size - len(line) - len(filler)
        return line + filler + f"{self._chance.getrandbits(4 * max(digits, 1)):0{max(digits, 1)}x}".encode()[:digits]

    def key(self, count: int) -> str:
        """Draw one of ``count`` user names as a key."""
        return f"user-{self._chance.randrange(1, count + 1)}"
