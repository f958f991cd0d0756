// @ts-check
/** The straight line through values at equal distances that fits best (least squares). */

/**
 * @param {number[]} values two or more
 * @returns {{rise: number, strays: number}} how much the line rises from the first to the last, and how far the values
 *   are from it (the root of the mean square)
 */
export function linearFit(values) {
  const count = values.length;
  const middle = (count - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  let [products, squares] = [0, 0];
  values.forEach((value, index) => {
    products += (index - middle) * (value - mean);
    squares += (index - middle) ** 2;
  });
  const slope = products / squares;
  const left = values.reduce((sum, value, index) => sum + (value - mean - slope * (index - middle)) ** 2, 0);
  return { rise: slope * (count - 1), strays: Math.sqrt(left / count) };
}
