/** Brands: a handset's id cannot be passed where a number is wanted, though both are strings. */
declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

export type HandsetId = Branded<string, 'HandsetId'>;
export type WingId = Branded<string, 'WingId'>;
export type PersonId = Branded<string, 'PersonId'>;
export type TrunkId = Branded<string, 'TrunkId'>;
export type BoardId = Branded<string, 'BoardId'>;
/** One call, from request to record: a UUIDv7. */
export type CallId = Branded<string, 'CallId'>;
/** A whole telephone number in E.164 form, `+` and 3 to 15 digits. Made only by policy's normalisation. */
export type E164 = Branded<string, 'E164'>;

export const handsetId = (text: string): HandsetId => text as HandsetId;
export const wingId = (text: string): WingId => text as WingId;
export const personId = (text: string): PersonId => text as PersonId;
export const trunkId = (text: string): TrunkId => text as TrunkId;
export const boardId = (text: string): BoardId => text as BoardId;
export const callId = (text: string): CallId => text as CallId;
