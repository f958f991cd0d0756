// @ts-check
/** Composition root: wires the feed, the history, the picture and the controls of one stage together. */
import { CharacterKeys } from "./ui/character_keys.js";
import { Bookmarks } from "./ui/bookmarks.js";
import { Commands } from "./ui/commands.js";
import { forkWhatIsShown } from "./ui/fork.js";
import { offerHooks } from "./ui/hooks.js";
import { Focus, goToRegion } from "./ui/focus.js";
import { listenForKeys, listKeys } from "./ui/keys.js";
import { Lags } from "./ui/lag.js";
import { foldAway } from "./ui/more.js";
import { Narrator } from "./ui/narrator.js";
import { deploymentOf, LazyLayers } from "./ui/lazy_layers.js";
import { LazyParts } from "./ui/lazy_parts.js";
import { Panels } from "./ui/panels.js";
import { layOutOnPaper } from "./ui/paper.js";
import { Player } from "./ui/player.js";
import { actInThePresent } from "./ui/present.js";
import { chooseTheme } from "./ui/theme.js";
import { TimeLine } from "./ui/time_line.js";
import { Transport } from "./ui/transport.js";
import { Walking } from "./ui/walking.js";
import { Samples } from "./state/samples.js";
import { part, setAttribute, setText } from "./view/nodes.js";
import { StageView } from "./view/stage_view.js";
import { Feed } from "./wire/feed.js";
import { JournalReader } from "./wire/journal.js";

const FULL_WORDS = "this room has reached its size limit and its time has stopped; continue in a new room, or fork this one at an earlier point";
/** Parts that show a refusal about a field. */
const REFUSED = '.outcome[data-ok="false"][data-names], .field-fault';
const CONNECTION_WORDS = { connecting: "", live: "", reconnecting: "connection lost, trying again" };

/** @param {HTMLElement} stage @param {import("./ui/lazy_layers.js").Deployment} deployment */
function begin(stage, deployment) {
  const layers = new LazyLayers(stage, deployment, { arrived: () => player.wake(), say: (fault) => setText(part(stage, "connection"), fault) });
  const view = new StageView(stage, layers, () => player.wake());
  const commands = new Commands(stage);
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const board = part(stage, "board");
  const journal = new JournalReader(stage.dataset.api ?? "");
  const samples = new Samples();
  const player = new Player({
    view,
    wall_us: () => performance.now() * 1000,
    steps: () => still.matches,
    read: (moment) => journal.chapter(moment),
    came: (instants, at_us) => samples.take(instants, at_us),
    busy: (drawn_offset) => commands.unanswered(drawn_offset) || layers.pending || lazy.pending || inTransition(board),
  });
  const transport = new Transport(stage, player);
  const time_line = new TimeLine(stage, player, journal);
  const narrator = new Narrator(part(stage, "narration"), deployment.sentences);
  actInThePresent(stage, player, narrator);
  new Bookmarks(stage, () => player.drawn?.state, commands);
  const lags = new Lags(stage, player, samples);
  const lazy = new LazyParts(stage, { player, time_line, samples });
  const panels = new Panels(stage, lazy);
  player.listeners.push(
    () => takeSamples(player, samples),
    () => view.is_busy || lags.paint(),
    () => (player.past.place || player.clock?.running) && narrator.endOpening(),
    (passed) => narrator.hear(passed, view),
    () => transport.paint(),
    () => time_line.paint(),
    () => lazy.paint(),
    forkWhatIsShown(stage, player),
  );
  listen(stage, { player, commands, panels, transport, time_line });
  layOutOnPaper(stage, view, player);
  offerHooks(player);
  read(stage, player, time_line);
}

/** @param {Player} player @param {Samples} samples from what came over the feed, and from the past as far as it is looked at */
function takeSamples({ history, among, drawn_us }, samples) {
  if (history) samples.take(history.instants);
  if (among !== history?.instants && among.length) samples.take(among, drawn_us);
}

/** @param {HTMLElement} board @returns {boolean} whether a tape or a bookmark is still sliding into its place */
function inTransition(board) {
  return board.getAnimations({ subtree: true }).some(({ playState, effect }) => {
    const target = /** @type {KeyframeEffect | null} */ (effect)?.target;
    return playState === "running" && target?.closest(".partition");
  });
}

/**
 * @param {HTMLElement} stage
 * @param {{player: Player, commands: Commands, panels: Panels, transport: Transport, time_line: TimeLine}} to
 */
function listen(stage, { player, commands, panels, transport, time_line }) {
  const character_keys = new CharacterKeys(stage);
  listenForKeys({
    toggle: () => commands.press('[data-testid="control-pause"]'),
    step: () => commands.press('[data-testid="control-step"]'),
    stepBack: () => player.stepBack(),
    live: () => player.lookLive(),
    slower: () => transport.changeSpeed(-1),
    faster: () => transport.changeSpeed(1),
    previousMark: () => time_line.toPreviousMark(),
    nextMark: () => time_line.toNextMark(),
    fork: () => commands.press('[data-testid="control-fork"]'),
    copyLink: () => commands.press('[data-testid="control-copy-link"]'),
    help: () => panels.showHelp(),
    close: () => panels.close(),
    nextRegion: ({ shiftKey }) => goToRegion(stage, shiftKey ? -1 : 1),
  }, (key) => player.visible && character_keys.allow(key));
  listKeys(stage);
  foldAway(stage);
  chooseTheme(stage);
  stage.addEventListener("htmx:finally:request", async (event) => {
    if (stage.querySelector(REFUSED)) (await import("./ui/refused_fields.js")).sayAtTheField(/** @type {CustomEvent} */ (event), stage);
  });
  new Walking(stage);
  new Focus(stage);
  new IntersectionObserver(([entry]) => {
    player.visible = entry.isIntersecting;
    player.wake();
  }).observe(stage);
  document.addEventListener("visibilitychange", () => player.wake());
}

/** @param {import("./wire/feed.js").ClockFrame | undefined} clock */
function limitWords(clock) {
  if (clock?.damage) return `this room is read-only: ${clock.damage}; fork it to continue from what came before`;
  return clock?.full ? FULL_WORDS : "";
}

/** @param {HTMLElement} stage @param {Player} player @param {TimeLine} time_line */
function read(stage, player, time_line) {
  const feed = new Feed(stage.dataset.feed ?? "", {
    onFrame: (frame, fresh) => {
      player.receive(frame, fresh);
      time_line.hear(frame);
    },
    onConnection: (connection) => {
      setAttribute(stage, "data-connection", connection);
      setText(part(stage, "connection"), CONNECTION_WORDS[connection] || limitWords(player.clock?.frame));
    },
    onError: ({ message, remedy }) => setText(part(stage, "connection"), `${message}: ${remedy}`),
  });
  feed.open();
}

for (const stage of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-stage]"))) begin(stage, await deploymentOf(stage));
document.documentElement.dataset.script = "on";
