#!/usr/bin/env bash
# Identities for the front of the station's key server: who may ask it at all. Run as root where the front runs; needs openssl.
#
#   identities.sh authority              make the station's authority, once; its key never leaves this folder
#   identities.sh front HOST             make the front's own certificate, for the name or address that workstations use; again to renew it
#   identities.sh workstation NAME       make a workstation's identity: NAME.pem, to be carried to it and deleted here; again to renew it
#   identities.sh revoke NAME            refuse it from now on, each one of that name; reload nginx afterwards
#   identities.sh list                   every identity, until when it is valid, whether it is revoked, and which end within 30 days
#
# Each is valid for 397 days. Renew in time: a workstation whose identity has ended does not open its vault, nor does any behind such a front.
# The folder is CASEVAULT_FRONT, /etc/casevault-front by default.
set -euo pipefail
umask 077

readonly FOLDER=${CASEVAULT_FRONT:-/etc/casevault-front}
readonly AUTHORITY_DAYS=3650 IDENTITY_DAYS=397 SOON_DAYS=30

fail() {
    printf 'identities: %s\n' "$*" >&2
    exit 1
}
need_authority() { [[ -f $FOLDER/authority.key ]] || fail "there is no authority in $FOLDER; make it first: identities.sh authority"; }
need_name() { # letters, figures, dot and hyphen: it stands in a certificate, a file's name and a log
    [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$ ]] || fail "\"$1\" is not a name: letters, figures, dots and hyphens, 63 at most."
}

# openssl's own book of what was signed: number, name, until when, whether revoked.
settings() {
    cat <<END
[ca]
default_ca = station
[station]
database = $FOLDER/book
new_certs_dir = $FOLDER/signed
serial = $FOLDER/serial
crlnumber = $FOLDER/crlnumber
certificate = $FOLDER/authority.pem
private_key = $FOLDER/authority.key
default_md = sha512
default_crl_days = $AUTHORITY_DAYS
unique_subject = no
policy = names
[names]
commonName = supplied
[front]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = \${ENV::CASEVAULT_FRONT_HOST}
[workstation]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
END
}

scratch=
leave() { [[ -z $scratch ]] || rm -rf "$scratch"; } # whatever fails: no private key stays behind
trap leave EXIT

sign() { # NAME SECTION TARGET: one file with certificate and key, whole or not at all
    local name=$1 section=$2 target=$3
    scratch=$(mktemp -d "$FOLDER/.new.XXXXXX")
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -noenc -subj "/CN=$name" \
        -keyout "$scratch/key" -out "$scratch/request" 2>/dev/null || fail "no key could be made"
    openssl ca -batch -notext -config <(settings) -extensions "$section" -days "$IDENTITY_DAYS" \
        -in "$scratch/request" -out "$scratch/certificate" 2>/dev/null || fail "it could not be signed"
    cat "$scratch/certificate" "$scratch/key" >"$scratch/both"
    mv "$scratch/both" "$target"
    printf '%s\n' "$target"
}

need_same() { # TARGET NAME: what stands there may be renewed, not replaced by another's
    [[ ! -e $1 ]] || [[ $(openssl x509 -noout -subject -nameopt RFC2253 -in "$1" 2>/dev/null) == "subject=CN=$2" ]] ||
        fail "$1 is there already and is not of $2; revoke and remove it first."
}

write_revoked() {
    openssl ca -config <(settings) -gencrl -out "$FOLDER/revoked.pem" 2>/dev/null
    chmod 644 "$FOLDER/revoked.pem"
}

export CASEVAULT_FRONT_HOST=DNS:unused
case ${1:-} in
    authority)
        [[ $# -eq 1 ]] || fail "say: identities.sh authority"
        [[ ! -e $FOLDER/authority.key ]] || fail "there is an authority in $FOLDER already."
        mkdir -p "$FOLDER/signed"
        touch "$FOLDER/book"
        openssl rand -hex 16 >"$FOLDER/serial"
        echo 01 >"$FOLDER/crlnumber"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -noenc -subj '/CN=Casevault station' -days "$AUTHORITY_DAYS" \
            -addext 'basicConstraints=critical,CA:true,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
            -keyout "$FOLDER/authority.key" -out "$FOLDER/authority.pem" 2>/dev/null
        chmod 644 "$FOLDER/authority.pem"
        write_revoked
        printf '%s\n' "$FOLDER/authority.pem"
        ;;
    front)
        [[ $# -eq 2 ]] || fail "say: identities.sh front HOST"
        need_authority
        if [[ $2 =~ ^[0-9.]+$|: ]]; then CASEVAULT_FRONT_HOST=IP:$2; else
            need_name "$2"
            CASEVAULT_FRONT_HOST=DNS:$2
        fi
        need_same "$FOLDER/front.pem" "${2//:/-}"
        sign "${2//:/-}" front "$FOLDER/front.pem"
        ;;
    workstation)
        [[ $# -eq 2 ]] || fail "say: identities.sh workstation NAME"
        need_authority
        need_name "$2"
        [[ $2 != front && $2 != authority && $2 != revoked ]] || fail "\"$2\" is a file of the front's own; choose another name."
        [[ ! -e $FOLDER/$2.pem ]] || fail "$FOLDER/$2.pem is there already: carry it to its workstation and remove it here first."
        sign "$2" workstation "$FOLDER/$2.pem"
        ;;
    revoke)
        [[ $# -eq 2 ]] || fail "say: identities.sh revoke NAME"
        need_authority
        need_name "$2"
        found=0
        while read -r number; do
            openssl ca -config <(settings) -revoke "$FOLDER/signed/$number.pem" 2>/dev/null
            found=1
        done < <(awk -F '\t' -v name="/CN=$2" '$1 == "V" && $6 == name { print $4 }' "$FOLDER/book")
        ((found)) || fail "no valid identity is called $2; see identities.sh list"
        write_revoked
        ;;
    list)
        [[ $# -eq 1 ]] || fail "say: identities.sh list"
        need_authority
        awk -F '\t' -v now="$(date -u +%y%m%d%H%M%SZ)" -v soon="$(date -u -d "+$SOON_DAYS days" +%y%m%d%H%M%SZ)" '
            { printf "%-24s until 20%s-%s-%s  %s\n", substr($6, 5), substr($2, 1, 2), substr($2, 3, 2), substr($2, 5, 2),
                $1 == "R" ? "revoked" : $1 == "E" || $2 < now ? "expired" : $2 < soon ? "valid, ends soon: renew it" : "valid" }' "$FOLDER/book"
        ;;
    *) fail "say: identities.sh authority | front HOST | workstation NAME | revoke NAME | list" ;;
esac
