"""The past as chapters, folded in the browser from the responses of the journal's API: pure modules, no page."""

from typing import Any

import pytest
from playwright.sync_api import Page

from engine.journal.timeline_marks import KINDS
from tests.browser.conftest import ServerProcess

BASE = """
const { Chapter, Chapters } = await import("/static/js/state/chapters.js");
const { Marks } = await import("/static/js/state/marks.js");
const { markInWords, familyOf, weightOf } = await import("/static/js/scene/marks.js");
const state = (at_us, consumers = {}) => ({ at_us, consumers, registry: {} });
const node = (at_us, value) => ({ event: "node_created", at_us, path: "/a", value, client: "" });
// three chapters of 300 bytes: at 0, at 100 and, after a reset, at 200 us
const answer = (number, cause, more = {}) => ({
    offset: number * 300, next_offset: (number + 1) * 300, end_offset: (number + 1) * 300, at_us: number * 100,
    complete_until_us: (number + 1) * 100, is_last: false, sizes: [100, 100, 50, 50],
    events: [{ event: "checkpoint", at_us: number * 100, cause, state: state(number * 100) },
        node(number * 100 + 40, "one"), node(number * 100 + 40, "two"), node(number * 100 + 100, "three")], ...more });
const chapters = new Chapters(2);
const everything = Infinity;
const mark = (kind, subject, at_us, offset, count = 1) =>
    ({ kind, subject, at_us, offset, count, last_at_us: at_us, last_offset: offset });
"""


@pytest.fixture
def run(page: Page, server: ServerProcess) -> Any:
    """A function that runs a piece of JavaScript beside the modules and returns its result."""
    page.goto(f"{server.base_url}/healthz")
    return lambda script: page.evaluate(f"async () => {{ {BASE} {script} }}")


def test_a_chapter_has_one_state_for_each_instant_with_its_place_in_the_journal(run: Any) -> None:
    assert run("""return new Chapter(answer(1, "periodic")).instants.map(
        ({ at_us, next_offset, state, events }) =>
            [at_us, next_offset, state.registry["/a"]?.[0] ?? "", events.length])""") == [
        [100, 400, "", 0],
        [140, 550, "two", 2],
        [200, 600, "three", 1],
    ]


def test_a_chapter_covers_the_time_from_its_checkpoint_to_the_next(run: Any) -> None:
    assert run("""const chapter = new Chapter(answer(1, "periodic"));
        return [99, 100, 199, 200].map((at_us) => chapter.holds({ at_us, before_offset: everything }))""") == [
        False,
        True,
        True,
        False,
    ]


def test_at_the_time_of_a_reset_the_offset_decides_between_before_and_after(run: Any) -> None:
    assert run("""const [before, after] = [new Chapter(answer(1, "periodic")), new Chapter(answer(2, "reset"))];
        const place = { at_us: 200, before_offset: 600 };
        return [before.holds(place), after.holds(place), after.is_beginning, before.is_beginning]""") == [
        True,
        False,
        True,
        False,
    ]


def test_a_time_before_the_first_chapter_belongs_to_the_first_chapter(run: Any) -> None:
    assert run("""const late = new Chapter({ ...answer(0, "start"), at_us: 50 });
        return [late.holds({ at_us: 10, before_offset: everything }), late.indexAt(10)]""") == [True, 0]


def test_the_last_chapter_knows_the_time_up_to_which_it_is_complete(run: Any) -> None:
    assert run("""const last = new Chapter({ ...answer(2, "periodic"), is_last: true, complete_until_us: 350 });
        return [349, 350].map((at_us) => last.holds({ at_us, before_offset: everything }))""") == [True, False]


def test_an_offset_means_the_instant_of_the_event_before_it(run: Any) -> None:
    assert run("""const chapter = new Chapter(answer(1, "periodic"));
        return [300, 400, 450, 500, 550, 600].map((offset) => chapter.instantBefore(offset).at_us)""") == [
        100,
        100,
        140,
        140,
        140,
        200,
    ]


def test_the_bytes_of_the_kept_chapters_are_limited(run: Any) -> None:
    assert run("""const large = new Chapters(12);
        const bytes = 5_000_000;
        for (let number = 0; number < 6; number += 1) {
            const [offset, end_offset] = [number * bytes, (number + 1) * bytes];
            large.put(new Chapter({ ...answer(number, "periodic"), offset, end_offset }));
        }
        return [...large.by_offset.keys()].map((offset) => offset / bytes)""") == [3, 4, 5]


def test_a_chapter_is_assembled_from_several_responses(run: Any) -> None:
    assert run("""const { JournalReader } = await import("/static/js/wire/journal.js");
        const asked = [];
        const part = (from, to) => ({ offset: 100, next_offset: to, end_offset: 500, at_us: 0, is_last: false,
            complete_until_us: to, sizes: [to - from], events: [{ event: "checkpoint", from }] });
        const answers = [part(100, 200), part(200, 450), part(450, 500)];
        window.fetch = async (address) => {
            asked.push(address);
            return { ok: true, json: async () => answers.shift() };
        };
        const whole = await new JournalReader("/room").chapter({ at_us: 7 });
        const { sizes, next_offset, complete_until_us } = whole;
        return [asked, whole.events.map(({ from }) => from), sizes, next_offset, complete_until_us]""") == [
        [
            "/room/journal?at_us=7",
            "/room/journal?journal_offset=500&from_offset=200",
            "/room/journal?journal_offset=500&from_offset=450",
        ],
        [100, 200, 450],
        [100, 250, 50],
        500,
        500,
    ]


def test_the_most_recently_used_chapters_are_kept(run: Any) -> None:
    assert run("""chapters.put(new Chapter(answer(0, "start")));
        chapters.put(new Chapter(answer(1, "periodic")));
        chapters.find({ at_us: 50, before_offset: everything });
        chapters.put(new Chapter(answer(2, "periodic")));
        return [0, 100, 200].map((at_us) => Boolean(chapters.find({ at_us, before_offset: everything })))""") == [
        True,
        False,
        True,
    ]


def test_a_newer_version_of_a_chapter_replaces_the_older_one(run: Any) -> None:
    assert run("""chapters.put(new Chapter({ ...answer(0, "start"), is_last: true, complete_until_us: 50 }));
        chapters.put(new Chapter(answer(0, "start")));
        return [chapters.by_offset.size, Boolean(chapters.find({ at_us: 80, before_offset: everything }))]""") == [
        1,
        True,
    ]


# --- marks ----------------------------------------------------------------------------------------------------------


def test_the_neighbours_of_the_last_displayed_chapter_are_prefetched(run: Any) -> None:
    asked, prepared = run("""const { Past } = await import("/static/js/ui/past.js");
        const [asked, prepared] = [[], []];
        const past = await new Promise((resolve) => {
            const past = new Past({
                read: async (moment) => {
                    asked.push(moment.at_us ?? -moment.journal_offset);
                    if (asked.length === 4) setTimeout(() => resolve(past));
                    const { at_us, journal_offset } = moment;
                    return answer(at_us ? Math.floor(at_us / 100) : Math.ceil(journal_offset / 300) - 1, "periodic");
                },
                came: (instants, at_us) => prepared.push([instants[0].at_us, at_us]),
                changed: () => past.found(), live_us: () => 10_000,
            });
            past.lookAt(150);
            past.lookAt(550); // before the first has come
        });
        return [asked, prepared]""")
    assert asked == [150, 550, -1500, 600]
    assert prepared == [[500, 550]]


def test_marks_are_found_before_after_and_near_a_time(run: Any) -> None:
    assert run("""const marks = new Marks();
        marks.take({ kinds: [], end_offset: 900, moments: [
            mark("start", "", 0, 0), mark("broker_crashed", "broker:2", 100, 300), mark("reset", "", 200, 600)] });
        const kind = (found) => found?.kind ?? "none";
        return [kind(marks.before(100)), kind(marks.before(101)), kind(marks.before(0)), kind(marks.after(100)),
            kind(marks.after(200)), kind(marks.near(95, 5)), kind(marks.near(95, 4)), marks.next_offset]""") == [
        "start",
        "broker_crashed",
        "none",
        "reset",
        "none",
        "broker_crashed",
        "none",
        900,
    ]


def test_the_bar_begins_at_the_start_of_the_displayed_history(run: Any) -> None:
    assert run("""const marks = new Marks();
        marks.take({ kinds: [], end_offset: 900, moments: [mark("start", "", 0, 0), mark("reset", "", 200, 600)] });
        return [[199, everything], [200, everything], [200, 600]].map(
            ([at_us, before_offset]) => marks.beginning({ at_us, before_offset }))""") == [
        0,
        200,
        0,
    ]


def test_an_updated_mark_replaces_only_its_former_version(run: Any) -> None:
    assert run("""const marks = new Marks();
        const lost = mark("batch_lost", "partition:t-0", 10, 50);
        const moments = [mark("start", "", 0, 0), lost, mark("reset", "", 20, 90)];
        marks.take({ kinds: [], end_offset: 100, moments });
        marks.take({ kinds: [], end_offset: 200, moments: [{ ...moments[1], count: 7 }, mark("reset", "", 30, 150)] });
        return marks.list.map(({ offset, count }) => [offset, count])""") == [[0, 1], [50, 7], [90, 1], [150, 1]]


def test_only_the_most_important_mark_of_a_stretch_is_drawn(run: Any) -> None:
    assert run("""const marks = new Marks();
        marks.take({ kinds: [], end_offset: 1, moments: [mark("segment_deleted", "partition:t-0", 10, 1),
            mark("broker_crashed", "broker:2", 12, 2), mark("segment_deleted", "partition:t-0", 90, 3)] });
        return marks.spread(0, 100, 10, weightOf).map(({ offset }) => offset)""") == [2, 3]


def test_a_mark_has_a_description(run: Any) -> None:
    assert run("""const one = { topics: { "page-views": {} } };
        return [["broker_crashed", "broker:2"], ["segment_deleted", "partition:page-views-1"],
            ["session_expired", "consumer:Real-time metrics/Metrics B"], ["link_changed", "broker:1 | registry"],
            ["rebalance_started", "group:readers", 3], ["from_a_newer_engine", "broker:1"]].map(
        ([kind, subject, count]) => markInWords(mark(kind, subject, 0, 0, count), one))""") == [
        "broker 2 crashed",
        "the oldest segment of p1 was deleted",
        "the session of Metrics B ran out",
        "the link of broker 1 to the registry changed",
        "readers rebalanced, 3 times",
        "from a newer engine 1",
    ]


def test_a_mark_names_the_topic_if_there_are_several(run: Any) -> None:
    words = run("""const topics = { "page-views": {}, audit: {} };
        return markInWords(mark("segment_deleted", "partition:page-views-1", 0, 0), { topics })""")
    assert words == "the oldest segment of page-views p1 was deleted"


def test_every_kind_of_mark_has_its_own_description(run: Any) -> None:

    families = run(f"""return {list(KINDS)!r}.map(
        (kind) => markInWords(mark(kind, 'broker:7', 0, 0), {{ topics: {{}} }}))""")
    untold = [kind for kind, words in zip(KINDS, families, strict=True) if words == f"{kind.replace('_', ' ')} 7"]
    assert untold == []
