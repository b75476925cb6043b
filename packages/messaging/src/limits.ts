/** Every bound of the protocol, with its reason. What happens at each is said beside it, and in docs/protocol.md. */

/** Entries a view may hold that not all members have: the sequencer then waits. */
export const windowEntries = 2048;
/** Their bytes. */
export const windowBytes = 4 * 1024 * 1024;
/** Submissions the sequencer keeps out of order for one origin; those beyond are dropped and come again. */
export const outOfOrderEntries = 512;
export const outOfOrderBytes = 256 * 1024;
/** Entries and bytes an origin may have waiting for their place; then `queueFull`. One message larger than the bytes is taken when nothing waits. */
export const pendingEntries = 1024;
export const pendingBytes = 8 * 1024 * 1024;
/**
 * Bytes of a fragment. With its frame it fits a datagram of 1200 bytes over IPv6: what was cut while paths took more must
 * still get through when one of them takes less, or nobody could recover the view (simulator, seed 20210).
 */
export const entryBytesMax = 1048;
/** An unreliable message travels in one frame. */
export const unreliableBytesMax = 1100;
/** A message may be at most so large whatever the configuration says. */
export const messageBytesCeiling = 16 * 1024 * 1024;
/** All messages in reassembly together; an origin's message beyond it is dropped whole, and reported. */
export const reassemblyBytes = 32 * 1024 * 1024;
/** Entries one gap report is answered with. */
export const gapAnswerEntries = 32;
/** Bytes such an answer may have. */
export const gapAnswerBytes = 64 * 1024;
/** Entries an origin repeats at a time. */
export const resendEntries = 64;
/** Entries and bytes of one origin that the sequencer orders before the next origin's turn. */
export const turnEntries = 64;
export const turnBytes = 64 * 1024;
/** Ranges named in a gap report, a promise or a plan; what is beyond comes with the next. */
export const rangesMax = 64;
/** Deliveries of one step; the rest follow in the next, at once. */
export const deliveriesPerStep = 64;
/** Frames waiting for the flush; data beyond are dropped (they are repeated), membership frames never. */
export const outboxFrames = 4096;
/** Sessions remembered for one peer: the present, the previous for its overlap, and one that is not proven yet. */
export const sessionsPerPeer = 4;
/** Unknown sessions of one claimed sender that are derived a second: derivation is what a forger can make us pay. */
export const derivationsPerSecond = 20;
/** View numbers have 48 bits; nothing honest comes near, and a wrong one must not leave too few. */
export const numberMax = 2 ** 47;
/** Sequence numbers end the view by force above this: 32 bits never wrap. */
export const sequenceCeiling = 2 ** 32 - 2 ** 20;
/** Largest datagram accepted or built. */
export const datagramBytesMax = 60_000;
/** Overhead of the header, the tag and the prefix in a datagram. */
export const datagramOverhead = 32 + 16 + 16;
