/** A configuration as guides print them: long, with continuation lines, comments and prompts of nobody. */

const dummy = (id: string): string => `primitive ${id} ocf:systole:dummy \\
	params fake=${id} \\
	op start timeout=20s interval=0 \\
	op stop timeout=20s interval=0 \\
	op monitor interval=10s timeout=20s \\
	meta migration-threshold=3 target-role=Stopped
`;

const groups = ['web', 'mail', 'files', 'print'];
const members = (group: string): readonly string[] => [1, 2, 3, 4].map((number) => `${group}-${number}`);

/** More than a hundred lines. */
export const vendorText: string = [
  '# what a guide says\n',
  ...groups.flatMap((group) => [...members(group).map(dummy), `group g-${group} ${members(group).join(' ')}\n`]),
  ...groups.slice(1).map((group, index) => `order after-${group} Optional: g-${groups[index]} g-${group}\n`),
  'location web-here g-web 100: n1\n',
  'rsc_defaults resource-stickiness=100\n',
].join('');

export const vendorIds: readonly string[] = groups.flatMap(members);

/** The same with a mistake in the middle. */
export const wrongText: string = vendorText.replace(
  'primitive files-2 ocf:systole:dummy',
  'primitve files-2 ocf:systole:dummy',
);

/** The line of the mistake, from 1. */
export const wrongLine: number = wrongText.split('\n').findIndex((line) => line.startsWith('primitve')) + 1;
