/** The page's plots, as SVG made by hand; each says its numbers in text as well. */

const SVG = 'http://www.w3.org/2000/svg';

export function shape(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A bar for each rule, the longest first. */
export function refusalBars(into, refusals) {
  const longest = Math.max(1, ...refusals.map(({ count }) => count));
  const bars = document.createElement('div');
  bars.className = 'bars';
  for (const { rule, count } of refusals) {
    const name = document.createElement('span');
    name.textContent = rule;
    const svg = shape('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    svg.append(shape('rect', { class: 'a', x: 0, y: 1, height: 8, width: (100 * count) / longest }));
    const number = document.createElement('span');
    number.className = 'n';
    number.textContent = count;
    bars.append(name, svg, number);
  }
  if (refusals.length === 0) {
    const none = document.createElement('p');
    none.className = 'empty';
    none.textContent = 'No call was refused.';
    bars.replaceChildren(none);
  }
  into.replaceChildren(bars);
}

/** Two bars for each hour of the day: the same calls by the clocks of two zones. */
export function hourBars(into, zones, counts) {
  const [a = [], b = []] = zones.map((zone) => counts[zone]);
  const top = Math.max(1, ...a, ...b);
  const svg = shape('svg', { viewBox: '0 0 340 120', role: 'img' });
  svg.append(
    shape('title', {}, `Calls by hour: ${zones.map((zone) => `${zone} ${counts[zone].join(' ')}`).join('; ')}`),
  );
  svg.append(shape('text', { x: 0, y: 9 }, String(top)));
  for (let hour = 0; hour < 24; hour += 1) {
    const x = 18 + hour * 13.4;
    for (const [index, count] of [a[hour], b[hour]].entries()) {
      const height = (96 * (count ?? 0)) / top;
      svg.append(
        shape('rect', { class: index === 0 ? 'a' : 'b', x: x + index * 5.4, y: 104 - height, width: 5, height }),
      );
    }
    if (hour % 3 === 0) svg.append(shape('text', { x, y: 116 }, String(hour).padStart(2, '0')));
  }
  into.replaceChildren(svg);
}
