/**
 * One real engine among puppets: nodes whose every frame the test writes. A puppet keeps its session proven by echoing
 * the engine's heartbeats, and answers nothing by itself.
 */
import { type Epoch, type Instant, seededRandom } from '@systole/kernel';
import { decodeFrames } from '../../src/decode.ts';
import { encodeFrame } from '../../src/encode.ts';
import { type Configuration, protocolRange, timingProfiles } from '../../src/configuration.ts';
import { createEngine } from '../../src/engine.ts';
import type { Frame, HeartbeatFrame, Identity, InstallationFrame } from '../../src/frames.ts';
import { majorityPolicy } from '../../src/majority.ts';
import { headerBytes, prefixBytes, tagBytes, writeHeader, writePrefix } from '../../src/packet.ts';
import type { QuorumMemory } from '../../src/quorum-port.ts';
import { identitySeal } from '../../src/seal.ts';
import type { Engine, EngineEffect, EngineInput, NodeId, ViewTag } from '../../src/surface.ts';
import { tagOf } from '../../src/view-tag.ts';
import { aKey, aLink } from './cluster.ts';

export interface Puppet {
  readonly node: NodeId;
  incarnation: number;
  session: readonly [number, number];
  sessionNumber: number;
  counter: number;
  beats: number;
}

export class PuppetTheatre {
  readonly engine: Engine;
  readonly self: NodeId = 1;
  readonly puppets = new Map<NodeId, Puppet>();
  now = 1000;
  effects: EngineEffect[] = [];
  /** What the engine has sent since last asked, to whomever. */
  sent: Frame[] = [];
  /** The engine's newest heartbeat. */
  heartbeat: HeartbeatFrame | undefined;
  /** What all puppets' heartbeats say beyond the defaults. */
  say: Partial<HeartbeatFrame> = {};
  /** Nodes that all puppets say they do not hear. */
  readonly unheard = new Set<NodeId>();
  /** Where given, saves are not answered but kept here. */
  heldSaves: number[] | undefined;
  incarnation = 0;
  memory: QuorumMemory;

  constructor(nodes: readonly NodeId[], configuration: Partial<Configuration> = {}) {
    const policy = majorityPolicy(nodes);
    this.memory = policy.start(undefined);
    this.engine = createEngine({
      configuration: {
        clusterName: 'test',
        self: 1,
        revision: 1,
        nodes,
        keys: [aKey(1)],
        links: [aLink(0)],
        linkMode: 'passive',
        timing: timingProfiles.lan,
        messageBytesMax: 1024 * 1024,
        protocol: protocolRange,
        ...configuration,
      },
      seal: identitySeal,
      random: seededRandom(5),
      quorum: policy,
      wall: 1_700_000_000_000 as Epoch,
      now: this.now as Instant,
    });
    for (const node of nodes) {
      if (node === this.self) continue;
      this.puppets.set(node, {
        node,
        incarnation: 1_600_000_000_000 + node,
        session: [node, 1],
        sessionNumber: 1,
        counter: 0,
        beats: 0,
      });
    }
    this.input({ type: 'tick' });
  }

  releaseSaves(): void {
    const tokens = this.heldSaves ?? [];
    this.heldSaves = undefined;
    for (const token of tokens) this.input({ type: 'saved', token });
  }

  puppet(node: NodeId): Puppet {
    return this.puppets.get(node) as Puppet;
  }

  /** What was sent since the last call. */
  take(): Frame[] {
    const { sent } = this;
    this.sent = [];
    return sent;
  }

  takeOf<Type extends Frame['type']>(type: Type): Extract<Frame, { type: Type }>[] {
    return this.take().filter((frame): frame is Extract<Frame, { type: Type }> => frame.type === type);
  }

  input(input: EngineInput): EngineEffect[] {
    const effects = [...this.engine.step(input, this.now as Instant)];
    for (let rounds = 0; this.engine.wakeAt() <= this.now && rounds < 50; rounds++) {
      effects.push(...this.engine.step({ type: 'tick' }, this.now as Instant));
    }
    const all: EngineEffect[] = [];
    for (const effect of effects) {
      all.push(effect);
      if (effect.type === 'transmit') this.#read(effect.bytes);
      else if (effect.type === 'save') {
        this.incarnation = effect.record.incarnation;
        this.effects.push(effect);
        if (this.heldSaves === undefined) all.push(...this.input({ type: 'saved', token: effect.token }));
        else this.heldSaves.push(effect.token);
      } else this.effects.push(effect);
    }
    return all;
  }

  #read(bytes: Uint8Array): void {
    for (const frame of decodeFrames(bytes.subarray(0, bytes.length - tagBytes), headerBytes + prefixBytes) ?? []) {
      if (frame.type === 'heartbeat') this.heartbeat = frame;
      this.sent.push(frame);
    }
  }

  datagram(
    node: NodeId,
    frames: readonly Frame[],
    more: { readonly counter?: number; readonly flags?: number } = {},
  ): Uint8Array {
    const puppet = this.puppet(node);
    const body = Buffer.concat(frames.map(encodeFrame));
    const bytes = new Uint8Array(headerBytes + prefixBytes + body.length + tagBytes);
    puppet.counter += 1;
    const counter = more.counter ?? puppet.counter;
    const clusterTag = identitySeal.clusterTag('test');
    writeHeader(bytes, { clusterTag, keyId: 1, sender: node, link: 0, session: puppet.session, counter });
    writePrefix(bytes, headerBytes, {
      incarnation: puppet.incarnation,
      sessionNumber: puppet.sessionNumber,
      protocolMin: 1,
      protocolMax: 1,
      configurationRevision: 1,
      flags: 0,
    });
    bytes.set(body, headerBytes + prefixBytes);
    identitySeal.cipher(aKey(1), 'test', node, puppet.session).seal(bytes, prefixBytes + body.length, counter);
    return bytes;
  }

  arrive(node: NodeId, bytes: Uint8Array): EngineEffect[] {
    return this.input({ type: 'datagram', link: 0, via: 'multicast', from: { host: `node${node}`, port: 1 }, bytes });
  }

  send(node: NodeId, ...frames: Frame[]): EngineEffect[] {
    return this.arrive(node, this.datagram(node, frames));
  }

  heartbeatOf(node: NodeId, more: Partial<HeartbeatFrame> = {}): HeartbeatFrame {
    const puppet = this.puppet(node);
    puppet.beats += 1;
    const me = {
      node: this.self,
      incarnation: this.incarnation,
      number: this.heartbeat?.number ?? 0,
      silenceMs: 0,
      heard: true,
      multicastLinks: 1,
      unicastLinks: 1,
    };
    const others = [...this.puppets.values()].filter((other) => other.node !== node);
    return {
      type: 'heartbeat',
      number: puppet.beats,
      state: 'operational',
      active: true,
      quorate: false,
      leaving: false,
      diskFailed: false,
      applicationStalled: false,
      promised: false,
      view: { number: 1, hash: node },
      members: [node],
      highestNumber: 1,
      received: 0,
      highest: 0,
      stable: 0,
      durable: 0,
      ownDurable: 0,
      stallMs: 0,
      generation: 0,
      revision: 0,
      lineage: 0,
      deviceLeaseMs: 0,
      wall: 0,
      echoes: [
        me,
        ...others.map((other) => ({ ...me, node: other.node, incarnation: other.incarnation, number: other.beats })),
      ].map((echo) => (this.unheard.has(echo.node) ? { ...echo, heard: false, silenceMs: 1000 } : echo)),
      ...this.say,
      ...more,
    };
  }

  /** Lets time pass with every (given) puppet beating every 50 ms. */
  run(ms: number, beating: readonly NodeId[] = [...this.puppets.keys()]): EngineEffect[] {
    const effects: EngineEffect[] = [];
    for (const end = this.now + ms; this.now < end;) {
      this.now += 5;
      if (this.engine.wakeAt() <= this.now) effects.push(...this.input({ type: 'tick' }));
      if (this.now % 50 === 0) for (const node of beating) effects.push(...this.send(node, this.heartbeatOf(node)));
    }
    return effects;
  }

  identities(nodes: readonly NodeId[]): Identity[] {
    return nodes.map((node) => ({
      node,
      incarnation: node === this.self ? this.incarnation : this.puppet(node).incarnation,
    }));
  }

  proposal(from: NodeId, number: number, nodes: readonly NodeId[]): Extract<Frame, { type: 'proposal' }> {
    const members = this.identities(nodes);
    return { type: 'proposal', attempt: tagOf(number, from, this.puppet(from).incarnation, members), members };
  }

  installation(
    proposal: Extract<Frame, { type: 'proposal' }>,
    groups: InstallationFrame['groups'],
    memories: readonly QuorumMemory[] = proposal.members.map(() => this.memory),
  ): InstallationFrame {
    return {
      type: 'installation',
      attempt: proposal.attempt,
      members: proposal.members,
      groups,
      protocol: 1,
      features: 0,
      memories,
      left: [],
    };
  }

  /** Brings the engine into an active view with all puppets, led by `leader`, and lets the puppets say so. */
  join(leader: NodeId, nodes: readonly NodeId[], number = 100): ViewTag {
    this.run(200);
    const proposal = this.proposal(leader, number, nodes);
    this.send(leader, proposal);
    const own = this.takeOf('promise')[0]?.report.view;
    if (own === undefined) throw new Error('the engine did not promise');
    this.send(leader, this.installation(proposal, [{ view: own, members: [this.self], cut: 0 }]));
    this.say = { view: proposal.attempt, members: nodes, active: true };
    this.send(leader, { type: 'activation', view: proposal.attempt });
    this.run(100);
    this.take();
    return proposal.attempt;
  }
}
