{{- define "carespace.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* What tells the pods of this release from all others; with `component`, those of one part. */}}
{{- define "carespace.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "carespace.labels" -}}
{{ include "carespace.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* Nobody's rights at the API, and nothing of other Services in the environment, where a Service
     named carespace would say CARESPACE_PORT. */}}
{{- define "carespace.contained" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "carespace.container" -}}
image: {{ include "carespace.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* The settings of one part: `part` is what _parts.tpl says of it, `user` who it is at NATS. */}}
{{- define "carespace.environment" -}}
{{- $values := .root.Values }}
- name: CARESPACE_NATS_URL
  value: {{ $values.nats.url | quote }}
- name: CARESPACE_NATS_CREDENTIALS
  value: /run/secrets/{{ .user }}.nk
{{- range $name, $file := .part.files }}
- name: CARESPACE_{{ $name }}_FILE
  value: /run/secrets/{{ $file }}
{{- end }}
{{- $words := include "carespace.words" .root | fromYaml }}
{{- range .part.words }}
- name: CARESPACE_{{ . }}
  value: {{ index $words . | quote }}
{{- end }}
{{- range include "carespace.authorities" . | fromYamlArray }}
- name: {{ .variable }}
  value: /run/{{ .name }}/ca.crt
{{- end }}
{{- end }}

{{/* Whose certificates this part believes, beside those that everybody does. */}}
{{- define "carespace.authorities" -}}
{{- $values := .root.Values }}
{{- with $values.nats.caSecret }}
- {name: nats-ca, secret: {{ . }}, variable: CARESPACE_NATS_CA_FILE}
{{- end }}
{{- if hasKey .part.files "SMTP_URL" }}
{{- with $values.smtp.caSecret }}
- {name: smtp-ca, secret: {{ . }}, variable: CARESPACE_SMTP_CA_FILE}
{{- end }}
{{- end }}
{{- end }}

{{- define "carespace.mounts" -}}
- name: secrets
  mountPath: /run/secrets
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- range include "carespace.authorities" . | fromYamlArray }}
- name: {{ .name }}
  mountPath: /run/{{ .name }}
  readOnly: true
{{- end }}
{{- if include "carespace.postgresAuthority" . }}
- name: postgres-ca
  mountPath: /run/postgres-ca
  readOnly: true
{{- end }}
{{- end }}

{{/* Only the files that this part is told of, whatever else its Secret may hold. */}}
{{- define "carespace.volumes" -}}
- name: secrets
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items:
      - {key: {{ .user }}.nk, path: {{ .user }}.nk}
{{- range .part.files }}
      - {key: {{ . }}, path: {{ . }}}
{{- end }}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- range include "carespace.authorities" . | fromYamlArray }}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- with include "carespace.postgresAuthority" . }}
- name: postgres-ca
  secret:
    secretName: {{ . }}
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- end }}

{{- define "carespace.postgresAuthority" -}}
{{- if hasKey .part.files "DATABASE_URL" }}
{{- .root.Values.postgres.caSecret }}
{{- end }}
{{- end }}
