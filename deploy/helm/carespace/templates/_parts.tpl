{{/*
What each part is told, as deploy/compose/compose.yaml has it. `files` are settings whose value lies
in a file of the part's own Secret, `words` those that values.yaml says.
*/}}
{{- define "carespace.parts" -}}
identity:
  files:
    DATABASE_URL: identity-database-url
    VISA_KEYS: visa-keys
    VISA_SIGNING_KEY: identity-visa-signing-key
    LINK_KEY: link-key
    KEY_RING: key-ring
  words: [PUBLIC_URL, ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES]
records:
  files:
    DATABASE_URL: records-database-url
    VISA_KEYS: visa-keys
    KEY_RING: key-ring
  words: []
messaging:
  files:
    DATABASE_URL: messaging-database-url
    VISA_KEYS: visa-keys
    KEY_RING: key-ring
  words: []
delegation:
  files:
    DATABASE_URL: delegation-database-url
    VISA_KEYS: visa-keys
    VISA_SIGNING_KEY: delegation-visa-signing-key
  words: []
notifier:
  files:
    DATABASE_URL: notifier-database-url
    VISA_KEYS: visa-keys
    SMTP_URL: smtp-url
  words: [PUBLIC_URL, MAIL_FROM]
gateway:
  files: {}
  words: [PUBLIC_URL, HEALTH_PORT, TRUSTED_PROXIES]
{{- end }}

{{/* The same of who does not serve: makes the databases, or runs an operator's commands. */}}
{{- define "carespace.tools" -}}
migrate:
  user: provisioner
  files:
    DATABASE_URL: admin-database-url
    ROLE_PASSWORDS: role-passwords
{{- range .Values.postgres.elsewhere }}
    {{ upper . }}_DATABASE_URL: {{ . }}-admin-database-url
{{- end }}
  words: []
operator:
  user: operator
  files: {}
  words: []
admin:
  user: provisioner
  files:
    DATABASE_URL: admin-database-url
    KEY_RING: key-ring
    SMTP_URL: smtp-url
{{- range .Values.postgres.elsewhere }}
    {{ upper . }}_DATABASE_URL: {{ . }}-admin-database-url
{{- end }}
  words: [PUBLIC_URL]
{{- end }}

{{/* What the settings that values.yaml says are, under their names. */}}
{{- define "carespace.words" -}}
PUBLIC_URL: {{ required "publicUrl is the address that patients open, with https://" .Values.publicUrl | quote }}
MAIL_FROM: {{ required "mailFrom is the address that letters come from" .Values.mailFrom | quote }}
TRUSTED_PROXIES: {{ .Values.trustedProxies | quote }}
HEALTH_PORT: "8081"
ARGON2_MEMORY_KIB: {{ int .Values.argon2.memoryKib | quote }}
ARGON2_PASSES: {{ int .Values.argon2.passes | quote }}
ARGON2_LANES: {{ int .Values.argon2.lanes | quote }}
{{- end }}

{{/* Those of the parts that keep something in Postgres: the services. */}}
{{- define "carespace.services" -}}
{{- range $name, $part := include "carespace.parts" . | fromYaml }}
{{- if hasKey $part.files "DATABASE_URL" }}
- {{ $name }}
{{- end }}
{{- end }}
{{- end }}
