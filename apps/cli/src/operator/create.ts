// SPDX-License-Identifier: Apache-2.0
import { decodeCertificates } from '@vouchsafe/pki';
import { createdOperator, encodeBase64url, type OperatorRole } from '@vouchsafe/protocol';
import { Option } from '../arguments/option.ts';
import { readSmallFile } from '../parse.ts';
import { ServiceClientError } from '../service/error.ts';
import { createServiceFile, readServiceFile, writeServiceFile } from '../service/service-file.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';

const ROLES: readonly OperatorRole[] = ['viewer', 'operator', 'admin', 'proxy'];

interface Options extends ServiceOptions {
  readonly role: OperatorRole;
  readonly certificate?: string;
  readonly output?: string;
  readonly force?: boolean;
}

export const create: Verb = {
  define(command, session) {
    command
      .description(
        'Lets somebody use the service. Without a certificate a token is made, and written with the service’s address into a file for --service.',
      )
      .argument('<NAME>', 'of the person or program')
      .addOption(
        new Option(
          '--role <role>',
          'viewer sees; operator manages machines; admin decides what is trusted; proxy asks who is let in',
        )
          .choices(ROLES)
          .default('viewer'),
      )
      .option('--certificate <file>', 'who shows this certificate, in TLS, is that operator')
      .option('-o, --output <file>', 'where the token goes; readable by you alone')
      .option('--force', 'replace an existing file');
    addServiceOptions(command, 'operator create anna --role viewer -o anna.json').action(
      async (name: string, options: Options) => {
        const { role, certificate, output, force = false } = options;
        if ((certificate === undefined) === (output === undefined)) {
          throw new UsageError('give one of --certificate and --output: how they sign in, or where their token goes');
        }
        const der = certificate === undefined ? {} : { certificate: encodeBase64url(oneCertificate(certificate)) };
        using file = output === undefined ? undefined : createServiceFile(output, force);
        const { token, ...made } = await withService(options, (client) =>
          client.send(createdOperator, 'POST', '/v1/operators', { name, role, ...der }),
        );
        if (file !== undefined && token !== undefined) {
          writeServiceFile(file, { ...readServiceFile(options.service), token });
        }
        session.answer(`${name}: ${role}${output === undefined ? '' : `, in ${output}`}`, made);
      },
    );
  },
};

function oneCertificate(file: string): Uint8Array {
  const [first, ...more] = decodeCertificates(readSmallFile(file));
  if (first !== undefined && more.length === 0) return first.bytes;
  throw new ServiceClientError('nothing_to_send', `${file}: expected one certificate, found ${more.length + 1}`);
}
