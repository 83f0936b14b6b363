// SPDX-License-Identifier: Apache-2.0
import type { Service } from '../../domain/service.ts';
import type { App } from '../app.ts';
import { addAuditRoutes } from './audit.ts';
import { addAuthorizeRoutes } from './authorize.ts';
import { addBaselineRoutes } from './baselines.ts';
import { addCertificateRoutes } from './certificates.ts';
import { addDeviceRoutes } from './devices.ts';
import { addEventRoutes } from './events.ts';
import { addMachineRoutes } from './machines.ts';
import { addOperatorRoutes } from './operators.ts';
import { addPolicyRoutes } from './policies.ts';
import { addReferenceRoutes } from './references.ts';
import { addSecretRoutes } from './secrets.ts';
import { addServiceRoutes } from './service.ts';
import { addTokenRoutes } from './tokens.ts';
import { addTrustRoutes } from './trust.ts';
import { addWebhookRoutes } from './webhooks.ts';

/** One for each resource. */
export const ROUTES: readonly ((app: App, service: Service) => void)[] = [
  addServiceRoutes,
  addMachineRoutes,
  addDeviceRoutes,
  addReferenceRoutes,
  addBaselineRoutes,
  addPolicyRoutes,
  addOperatorRoutes,
  addTokenRoutes,
  addTrustRoutes,
  addCertificateRoutes,
  addSecretRoutes,
  addAuthorizeRoutes,
  addEventRoutes,
  addWebhookRoutes,
  addAuditRoutes,
];
