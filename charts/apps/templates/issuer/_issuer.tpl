{{- define "apps.issuerEnvironment" -}}
- name: DOORBUSTER_ISSUER__PORT
  value: "8000"
- name: DOORBUSTER_ISSUER__PRIVATE_KEY_FILE
  value: /secrets/issuer/private-key
{{- end -}}

{{- define "apps.issuerMounts" -}}
- name: key
  mountPath: /secrets/issuer
  readOnly: true
{{- end -}}

{{- define "apps.issuerVolumes" -}}
- name: key
  secret:
    secretName: {{ required "issuer.existingSecret is empty: name a Secret of this namespace with the key 'private-key' (docs/operations.md has the command)" .Values.issuer.existingSecret }}
    items:
      - key: private-key
        path: private-key
{{- end -}}
