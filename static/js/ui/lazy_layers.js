// @ts-check
/** Layers of the picture that most rooms never need: each is fetched by the first state that has something for it. */
import { part } from "../view/nodes.js";
import { OnDemand } from "./on_demand.js";

/**
 * @typedef {object} Deployment
 * @property {typeof import("../view/deployment.js").paintDeployment} paint
 * @property {import("../scene/narration.js").Sentences} sentences
 */

/** A room has a deployment from its first picture on, or never. @param {HTMLElement} stage @returns {Promise<Deployment>} */
export async function deploymentOf(stage) {
  if (part(stage, "board").dataset.deployment !== "true") return { paint: () => undefined, sentences: {} };
  const [{ paintDeployment }, { DEPLOYMENT_SENTENCES }] = await Promise.all([
    import("../view/deployment.js"), import("../scene/narration_deployment.js"),
  ]);
  return { paint: paintDeployment, sentences: DEPLOYMENT_SENTENCES };
}

export class LazyLayers {
  /** @param {HTMLElement} stage @param {Deployment} deployment @param {{arrived: () => void, say: (fault: string) => void}} callbacks */
  constructor(stage, deployment, { arrived, say }) {
    this.paintDeployment = deployment.paint;
    this.flow = new OnDemand(async () => {
      const [scene, view] = await Promise.all([import("../scene/flow.js"), import("../view/flow.js")]);
      arrived();
      return { ...scene, ...view };
    }, say);
    this.broken_links = new OnDemand(async () => {
      const layer = await import("../view/broken_links.js");
      arrived();
      return layer;
    }, say);
    this.crowd = new OnDemand(async () => {
      const { Crowd } = await import("../view/crowd.js");
      return new Crowd(part(stage, "flights"), /** @type {HTMLCanvasElement} */ (part(stage, "crowd")));
    }, () => undefined);
  }

  /** @returns {boolean} whether the picture waits for one of them */
  get pending() {
    return this.flow.pending || this.broken_links.pending;
  }
}
