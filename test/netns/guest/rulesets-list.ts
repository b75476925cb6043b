/** Rulesets for the director's agent: those that it must load as they are, and those that it must refuse with a reason. */

export interface Ruleset {
  readonly name: string;
  readonly rules: readonly string[];
  /** Given to the agent as a file in place of a parameter. */
  readonly file?: string;
}

const schedulers = 'rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh'.split(' ');

/** Written as the kernel writes them, so that what is found there can be compared word by word. */
export const rulesets: readonly Ruleset[] = [
  {
    name: 'every scheduler',
    rules: schedulers.flatMap((scheduler, index) => [
      `-A -t 10.0.0.100:${index + 1} -s ${scheduler}`,
      `-a -t 10.0.0.100:${index + 1} -r 10.0.0.11:${index + 1} -g -w 1`,
    ]),
  },
  {
    name: 'flags of schedulers, persistence with a netmask and an engine',
    rules: [
      '-A -t 10.0.0.100:80 -s sh -b sh-fallback,sh-port',
      '-A -t 10.0.0.100:81 -s mh -b mh-fallback,mh-port',
      '-A -t 10.0.0.100:82 -s rr -p 360 -M 255.255.255.0',
      '-A -u 10.0.0.100:5060 -s rr -p 60 --pe sip -o',
    ],
  },
  {
    name: 'TCP and UDP on one port, SCTP, a firewall mark',
    rules: [
      '-A -t 10.0.0.100:53 -s rr',
      '-a -t 10.0.0.100:53 -r 10.0.0.11:53 -m -w 1',
      '-A -u 10.0.0.100:53 -s rr -o',
      '-a -u 10.0.0.100:53 -r 10.0.0.11:53 -m -w 1',
      '-A --sctp-service 10.0.0.100:2905 -s wlc',
      '-a --sctp-service 10.0.0.100:2905 -r 10.0.0.11:2905 -g -w 1',
      '-A -f 7 -s wlc -p 300',
      '-a -f 7 -r 10.0.0.11:0 -g -w 1',
    ],
  },
  {
    name: 'IPv6, with addresses and with a mark',
    rules: [
      '-A -t [fd00::100]:80 -s wrr -p 300 -M 64',
      '-a -t [fd00::100]:80 -r [fd00::11]:80 -g -w 3',
      '-A -f 8 -6 -s rr',
      '-a -f 8 -6 -r [fd00::11]:0 -g -w 1',
    ],
  },
  {
    name: 'thresholds, weight 0, mapped ports, tunnels of three kinds, from a file',
    file: '/run/pair.ipvs',
    rules: [
      '# as ipvsadm -S -n prints it',
      '',
      '-A -t 10.0.0.100:80 -s wlc',
      '-a -t 10.0.0.100:80 -r 10.0.0.11:8080 -m -w 0 -x 100 -y 50',
      '-a -t 10.0.0.100:80 -r 10.0.0.12:80 -i -w 1',
      '-a -t 10.0.0.100:80 -r 10.0.0.13:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum',
      '-a -t 10.0.0.100:80 -r 10.0.0.14:80 -i -w 1 --tun-type gre',
    ],
  },
  {
    name: 'what ipvsadm-restore takes too',
    rules: [
      'ipvsadm --add-service --tcp-service 10.0.0.100:80 --scheduler wlc',
      'ipvsadm --add-server --tcp-service 10.0.0.100:80 --real-server 10.0.0.11:80 --gatewaying --weight 1',
    ],
  },
];

const server = '-a -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 1';

export const hostile: readonly { readonly name: string; readonly rules: string }[] = [
  { name: 'no service', rules: server },
  { name: 'a scheduler that does not exist', rules: `-A -t 10.0.0.100:80 -s fastest; ${server}` },
  { name: 'a server twice', rules: `-A -t 10.0.0.100:80 -s rr; ${server}; ${server}` },
  { name: 'a service by its name', rules: '-A -t 10.0.0.100:http -s rr' },
  { name: 'IPv6 written otherwise than the kernel does', rules: '-A -t [fd00:0:0::100]:80 -s rr' },
  { name: 'a command that is not a rule', rules: '-C' },
  { name: 'two commands in a line', rules: '-A -t 10.0.0.100:80 -s rr -C' },
  { name: 'what a shell would run', rules: '-A -t 10.0.0.100:80 -s rr; $(touch /run/owned); `touch /run/owned`' },
];
