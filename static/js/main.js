// @ts-check
/** Composition root: wires the feed, the history, the picture and the controls of one stage together. */
import { Bookmarks } from "./ui/bookmarks.js";
import { Commands } from "./ui/commands.js";
import { offerHooks } from "./ui/hooks.js";
import { listenForKeys, walkTapes } from "./ui/keys.js";
import { Narrator } from "./ui/narrator.js";
import { Panels } from "./ui/panels.js";
import { Player } from "./ui/player.js";
import { Transport } from "./ui/transport.js";
import { part, setText } from "./view/nodes.js";
import { StageView } from "./view/stage_view.js";
import { Feed } from "./wire/feed.js";

const CONNECTION_WORDS = { connecting: "", live: "", reconnecting: "connection lost, trying again" };

/** @param {HTMLElement} stage */
function begin(stage) {
  const view = new StageView(stage);
  const commands = new Commands(stage);
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const board = part(stage, "board");
  const player = new Player({
    view,
    wall_us: () => performance.now() * 1000,
    steps: () => still.matches,
    busy: (drawn_offset) => commands.unanswered(drawn_offset) || inTransition(board),
  });
  const panels = new Panels(stage);
  const transport = new Transport(stage, player, commands);
  const narrator = new Narrator(part(stage, "narration"));
  new Bookmarks(stage, () => player.drawn?.state, commands);
  player.listeners.push(
    (passed) => narrator.hear(passed),
    () => transport.paint(),
    ({ instants }) => {
      if (instants.some(({ events }) => events.some(({ event }) => event.startsWith("node_")))) panels.refreshRegistry();
    },
  );
  listen(stage, { player, commands, panels });
  offerHooks(player);
  read(stage, player);
}

/** @param {HTMLElement} board @returns {boolean} whether a tape or a bookmark is still sliding into its place */
function inTransition(board) {
  return board.getAnimations({ subtree: true }).some(({ playState, effect }) => {
    const target = /** @type {KeyframeEffect | null} */ (effect)?.target;
    return playState === "running" && target?.closest(".partition");
  });
}

/** @param {HTMLElement} stage @param {{player: Player, commands: Commands, panels: Panels}} to */
function listen(stage, { player, commands, panels }) {
  listenForKeys({
    inSight: () => player.visible,
    toggle: () => commands.press('[data-testid="control-pause"]'),
    step: () => commands.press('[data-testid="control-step"]'),
    stepBack: () => player.stepBack(),
    live: () => player.lookLive(),
    help: () => panels.showHelp(),
  });
  walkTapes(stage);
  new IntersectionObserver(([entry]) => {
    player.visible = entry.isIntersecting;
    player.wake();
  }).observe(stage);
  document.addEventListener("visibilitychange", () => player.wake());
  new ResizeObserver(() => player.wake()).observe(part(stage, "board"));
}

/** @param {HTMLElement} stage @param {Player} player */
function read(stage, player) {
  const feed = new Feed(stage.dataset.feed ?? "", {
    onFrame: (frame, anew) => player.receive(frame, anew),
    onConnection: (connection) => {
      stage.dataset.connection = connection;
      setText(part(stage, "connection"), CONNECTION_WORDS[connection]);
    },
    onError: ({ message, remedy }) => setText(part(stage, "connection"), `${message}: ${remedy}`),
  });
  feed.open();
}

for (const stage of document.querySelectorAll("[data-stage]")) begin(/** @type {HTMLElement} */ (stage));
document.documentElement.dataset.script = "on";
