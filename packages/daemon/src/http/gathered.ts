/** Unpacks what the members of the cluster have told of themselves (`host/collector.ts` packs it). */
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import type { Gathered, GatheredPart } from '@systole/api';
import type { Answer } from '@systole/crm';
import type { Part } from '../node/index.ts';

const decompress = promisify(zstdDecompress);

/** Unpacked, a part is not larger: what a member sends must not fill this one's memory. */
const partBytesMax = 64 * 1024 * 1024;

/** Members whose part cannot be read count as missing. */
export async function unpack(answer: Answer): Promise<Answer> {
  if (!answer.ok) return answer;
  const { parts, missing } = answer.value as { readonly parts: readonly Part[]; readonly missing: readonly string[] };
  const read: GatheredPart[] = [];
  const lost = [...missing];
  for (const { node, body } of parts) {
    try {
      const bytes = await decompress(Buffer.from(body, 'base64'), { maxOutputLength: partBytesMax });
      read.push({ ...(JSON.parse(bytes.toString('utf8')) as GatheredPart), node });
    } catch {
      lost.push(node);
    }
  }
  return { ok: true, value: { parts: read, missing: lost.toSorted() } satisfies Gathered };
}
