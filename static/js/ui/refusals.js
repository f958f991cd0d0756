// @ts-check
/** A refusal of the server in words for people; any other error is a bug and is thrown on. */

/** @param {unknown} error @returns {{message: string, remedy: string}} */
export function refusalOf(error) {
  if (error instanceof Error && "remedy" in error) return { message: error.message, remedy: String(error.remedy) };
  throw error;
}
