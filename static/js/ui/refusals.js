// @ts-check
/** What the server refused, as people can read it; any other error is a mistake of ours and goes on. */

/** @param {unknown} error @returns {{message: string, remedy: string}} */
export function refusalOf(error) {
  if (error instanceof Error && "remedy" in error) return { message: error.message, remedy: String(error.remedy) };
  throw error;
}
