// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { PkiError } from '../error.ts';
import { importKey } from '../public-key.ts';
import type { Certificate } from '../x509/certificate.ts';
import { isCertificateSignedBy } from '../x509/certificate-signature.ts';
import { checkPath } from './check-path.ts';
import { isSameName } from './name-match.ts';
import type { PathOptions } from './options.ts';
import type { PathProblem } from './problem.ts';

declare const validated: unique symbol;

/** A path from a certificate to a trust anchor that held. Only validatePath makes one. */
export interface ValidatedPath {
  readonly [validated]: true;
  /** The certificate asked about first, the trust anchor last; at least two. */
  readonly certificates: readonly Certificate[];
  readonly leaf: Certificate;
  readonly anchor: Certificate;
}

export type PathResult =
  | {
      readonly ok: true;
      readonly path: ValidatedPath;
      /** What the options let pass: certificates that have expired. */
      readonly remarks: readonly PathProblem[];
    }
  /** The reasons that stood against the best path found; at least one. */
  | { readonly ok: false; readonly problems: readonly PathProblem[] };

/** Certificates in a path; makers of TPMs use at most five. */
const MAX_PATH = 10;
/** Signatures checked in one search: a hundred authorities of one name would otherwise cost a hundred powers each. */
const MAX_SIGNATURE_CHECKS = 64;

/**
 * Finds a path from the certificate to a trust anchor and checks it: RFC 5280, 6.1, with any-policy as the initial
 * policy set. Of several paths the first that holds is taken; when none holds, the reasons against the best of them.
 *
 * Unlike most libraries' path builders it refuses every critical extension that it does not understand, on each
 * certificate, and name and policy constraints whether critical or not.
 */
export function validatePath(certificate: Certificate, options: PathOptions): PathResult {
  const search = new Search(options);
  const found = search.from([certificate]);
  if (found !== undefined) return { ok: true, path: toPath(found), remarks: checkPath(found, options) };
  return { ok: false, problems: search.problems(certificate) };
}

function toPath(certificates: readonly Certificate[]): ValidatedPath {
  const path = { certificates, leaf: certificates[0], anchor: certificates.at(-1) };
  return path as typeof path & ValidatedPath;
}

/** One depth-first search; keeps what stood against the best path so far. */
class Search {
  readonly #options: PathOptions;
  #best: readonly PathProblem[] | undefined;
  #deadEnd: PathProblem | undefined;
  #checksLeft = MAX_SIGNATURE_CHECKS;

  constructor(options: PathOptions) {
    this.#options = options;
  }

  /** The whole path that begins so and holds; undefined when there is none. */
  from(path: readonly Certificate[]): readonly Certificate[] | undefined {
    const subject = path.at(-1);
    if (subject === undefined || path.length === MAX_PATH) return undefined;
    let named = 0;
    let signed = 0;
    for (const { candidate, isAnchor } of this.#candidates(subject, path)) {
      named++;
      if (this.#checksLeft-- <= 0) {
        this.#note(path, 'search_limit', `expected at most ${MAX_SIGNATURE_CHECKS} signatures to check, found more`);
        return undefined;
      }
      if (!this.#isSignedBy(subject, candidate)) continue;
      signed++;
      const longer = [...path, candidate];
      const whole = isAnchor ? this.#finish(longer) : this.from(longer);
      if (whole !== undefined) return whole;
    }
    if (signed === 0) this.#noteMissing(path, subject, named);
    return undefined;
  }

  problems(certificate: Certificate): readonly PathProblem[] {
    if (this.#best !== undefined) return this.#best;
    const message = `expected a path of at most ${MAX_PATH} certificates to a trust anchor, found none`;
    return [this.#deadEnd ?? { code: 'issuer_missing', certificate, depth: 0, message }];
  }

  #finish(path: readonly Certificate[]): readonly Certificate[] | undefined {
    const { acceptExpired = false } = this.#options;
    const problems = checkPath(path, this.#options).filter(({ code }) => !(acceptExpired && code === 'expired'));
    if (problems.length === 0) return path;
    if (this.#best === undefined || problems.length < this.#best.length) this.#best = problems;
    return undefined;
  }

  /** Anchors first, so that the shortest path is found first; those whose key identifier fits before the others. */
  #candidates(
    subject: Certificate,
    path: readonly Certificate[],
  ): { readonly candidate: Certificate; readonly isAnchor: boolean }[] {
    const fits = (candidate: Certificate): boolean =>
      isSameName(candidate.subject, subject.issuer) && !path.some((other) => bytesEqual(other.bytes, candidate.bytes));
    return [
      ...byKeyIdentifier(subject, this.#options.anchors.filter(fits)).map((candidate) => ({
        candidate,
        isAnchor: true,
      })),
      ...byKeyIdentifier(subject, this.#options.intermediates.filter(fits)).map((candidate) => ({
        candidate,
        isAnchor: false,
      })),
    ];
  }

  /** A key or a scheme that cannot be used did not sign; what is wrong with it is said when nothing else signed. */
  #isSignedBy(subject: Certificate, issuer: Certificate): boolean {
    try {
      return isCertificateSignedBy(subject, importKey(issuer.publicKey.bytes, this.#options.keys));
    } catch (error) {
      if (error instanceof PkiError) return false;
      throw error;
    }
  }

  #noteMissing(path: readonly Certificate[], subject: Certificate, named: number): void {
    const { text } = subject.issuer;
    if (named > 0) {
      const message = `expected a signature by ${text}; ${named} certificates have that name, and none of their keys signed`;
      this.#note(path, 'signature_invalid', message);
    } else {
      this.#note(path, 'issuer_missing', `expected the certificate of ${text}, which issued it, and do not have it`);
    }
  }

  /** The dead end that came furthest is the one that tells what is missing. */
  #note(path: readonly Certificate[], code: PathProblem['code'], message: string): void {
    const depth = path.length - 1;
    const certificate = path[depth];
    if (certificate === undefined) return;
    if (this.#deadEnd === undefined || depth > this.#deadEnd.depth || code === 'search_limit') {
      this.#deadEnd = { code, certificate, depth, message };
    }
  }
}

/** RFC 5280, 4.2.1.1: the identifier is a hint about which key, so it orders and does not exclude. */
function byKeyIdentifier(subject: Certificate, candidates: readonly Certificate[]): Certificate[] {
  const wanted = subject.extensions.authorityKeyIdentifier?.keyIdentifier;
  if (wanted === undefined) return [...candidates];
  const fits = ({ extensions: { subjectKeyIdentifier } }: Certificate): boolean =>
    subjectKeyIdentifier !== undefined && bytesEqual(subjectKeyIdentifier, wanted);
  return [...candidates.filter(fits), ...candidates.filter((candidate) => !fits(candidate))];
}
