/** The machine had so much else to do that nothing was measured: no figure is better than a wrong one. */
export class TooBusy extends Error {
  override readonly name = 'TooBusy';
}
