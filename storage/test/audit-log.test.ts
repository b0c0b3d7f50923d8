import { onBothDatabases } from './support/databases.ts'
import { auditSuite } from './suites/audit.suite.ts'

onBothDatabases('the audit log', auditSuite)
