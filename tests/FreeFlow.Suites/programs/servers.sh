#!/bin/bash
# servers.sh: servers and clients that others wrote, each with its own client on 127.0.0.1, in the working folder.
set -u
here=$PWD
servers=
trap 'for pid in $servers; do kill "$pid" 2>/dev/null; done; wait' EXIT
serve() { # serve PORT LOG COMMAND...: in the background, until the port listens
    local port=$1 log=$2; shift 2
    (exec "$@" >"$log" 2>&1 </dev/null) &
    servers="$servers $!"
    for _ in $(seq 200); do ss -Hltn "sport = :$port" | grep -q . && return; sleep 0.05; done
    echo "# port $port does not listen: $(tail -n 3 "$log" | tr '\n' ' ')"
}
check() { # check NAME WANTED GOT
    if [ "$2" = "$3" ]; then echo "ok - $1"; else echo "not ok - $1"; echo "# wanted $2, got $3" | head -c 500 | head -n 3; fi
}
sum() { sha1sum "$@" | cut -c1-40; }
head -c 30000000 /dev/urandom >big
head -c 3000 /dev/urandom >small
mkdir www && cp big small www/
wanted=$(sum big)
tls() { openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null; cat key.pem cert.pem >both.pem; }

case $1 in
iperf3)
    serve 5201 iperf.log iperf3 -s
    for how in "" -R --bidir -Z "-P 4" "-l 100" "-l 1M" "-w 16K" "-Z -R" "-P 3 -R -l 1000" "-b 50M" "-n 20M" "-k 3000" "-N" "-M 1000" "-C cubic" "-4" "-n 5M -O 0 --get-server-output"; do
        case $how in *-n*|*-k*) t= ;; *) t="-t 1" ;; esac
        timeout 20 iperf3 -c 127.0.0.1 $t $how -J >iperf.json 2>&1
        check "iperf3 $how" "0 True" "$? $(python3 -c "
import json
d = json.load(open('iperf.json')); e = d['end']; s = e.get('sum_received') or e['sum']
# What was received is what was sent, but for what a receiver that stops first leaves.
print(s['bytes'] > 0 and 'error' not in d)" 2>&1)"
    done ;;
qperf)
    serve 19765 qperf.log qperf
    for how in tcp_bw tcp_lat; do timeout 20 qperf -t 1 127.0.0.1 $how >out 2>&1; check "qperf $how" 0 $?; done
    timeout 20 qperf -t 1 -m 64K 127.0.0.1 tcp_bw conf >out 2>&1; check "qperf 64K and configuration" 0 $? ;;
tls)
    tls
    serve 4433 s_server.log openssl s_server -accept 4433 -cert cert.pem -key key.pem -WWW -quiet
    for version in -tls1_2 -tls1_3; do
        check "s_server and curl $version" "$wanted" "$(curl -s --cacert cert.pem https://127.0.0.1:4433/big --tlsv1.${version#*_} | sum)"
        printf 'GET /small HTTP/1.0\r\n\r\n' | timeout 10 openssl s_client -connect 127.0.0.1:4433 -quiet -ign_eof $version 2>/dev/null | tail -c 3000 | cmp -s - small; check "s_server and s_client $version" 0 $?
    done
    serve 4434 s_rev.log openssl s_server -accept 4434 -cert cert.pem -key key.pem -rev
    check "s_server -rev" "cba" "$( (echo abc; sleep 0.5; echo CLOSE; sleep 0.5) | timeout 10 openssl s_client -connect 127.0.0.1:4434 -quiet 2>/dev/null | head -n 1)"
    timeout 20 openssl s_time -connect 127.0.0.1:4433 -www /small -new -time 1 >out 2>&1; check "s_time, new sessions" 0 $?
    timeout 20 openssl s_time -connect 127.0.0.1:4433 -www /small -reuse -time 1 >out 2>&1; check "s_time, sessions again" 0 $?
    socat OPENSSL-LISTEN:4435,cert=both.pem,verify=0,fork,reuseaddr EXEC:"cat" & servers="$servers $!"; sleep 0.5
    check "socat: TLS to cat" "$(sum small)" "$( (cat small; sleep 1) | timeout 10 socat - OPENSSL:127.0.0.1:4435,verify=0 | sum)" ;;
rsync)
    printf 'use chroot = no\nport = 8730\npid file = %s/rsync.pid\n[data]\npath = %s/www\nread only = no\nuid = root\ngid = root\n' "$here" "$here" >rsyncd.conf
    serve 8730 rsync.log rsync --daemon --no-detach --config=rsyncd.conf
    for n in $(seq 300); do head -c $((n * 37)) big >www/f$n; done
    tree() { (cd "$1" && find . -type f | sort | xargs sha1sum | sha1sum | cut -c1-40); }
    timeout 60 rsync -a rsync://127.0.0.1:8730/data/ copy/; check 'rsync from a daemon' "0 $(tree www)" "$? $(tree copy)"
    for n in $(seq 1 7 300); do echo change >>copy/f$n; done; printf 'x' | dd of=copy/big bs=1 seek=1234567 conv=notrunc 2>/dev/null
    timeout 60 rsync -a --checksum --delete copy/ rsync://127.0.0.1:8730/data/; check 'rsync of changes to a daemon' "0 $(tree copy)" "$? $(tree www)"
    timeout 60 rsync -az rsync://127.0.0.1:8730/data/ zipped/; check 'rsync, compressed' "0 $(tree www)" "$? $(tree zipped)"
    timeout 60 rsync -a --bwlimit=20000 rsync://127.0.0.1:8730/data/f3 one; check 'rsync with a limit' 0 $?
    timeout 60 rsync rsync://127.0.0.1:8730/nothing/ none >out 2>&1; check 'rsync of what is not there' 5 $? ;;
ssh)
    mkdir -p /run/sshd .ssh; ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f user; cp user.pub keys; chmod 700 .ssh; chmod 600 keys
    printf 'Port 2222\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/keys\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n' "$here" "$here" >sshd.conf
    serve 2222 sshd.log /usr/sbin/sshd -D -e -f "$here/sshd.conf"
    options="-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes -i $here/user"
    go() { timeout 60 ssh $options -p 2222 root@127.0.0.1 "$@"; }
    check 'ssh echo' hello "$(go echo hello </dev/null)"
    go 'exit 7' </dev/null; check 'ssh exit code' 7 $?
    check 'ssh to and fro' "$wanted" "$(go cat <big | sum)"
    check 'ssh out' "$wanted" "$(go cat "$here/big" </dev/null | sum)"
    timeout 60 scp -q $options -P 2222 root@127.0.0.1:"$here/big" copied; check 'scp from' "0 $wanted" "$? $(sum copied)"
    timeout 60 scp -q $options -P 2222 big root@127.0.0.1:"$here/copied2"; check 'scp to' "0 $wanted" "$? $(sum copied2)"
    timeout 60 scp -q -O $options -P 2222 big root@127.0.0.1:"$here/copied3"; check 'scp, the old way' "0 $wanted" "$? $(sum copied3)"
    echo "get $here/big copied4" | timeout 60 sftp -q -b - $options -P 2222 root@127.0.0.1 >/dev/null; check 'sftp' "0 $wanted" "$? $(sum copied4)"
    timeout 60 rsync -a -e "ssh $options -p 2222" root@127.0.0.1:"$here/www/" over/; check 'rsync over ssh' "$wanted" "$(sum over/big)"
    (cd www && exec python3 -m http.server 8099 --bind 127.0.0.1 >/dev/null 2>&1) & servers="$servers $!"
    timeout 60 ssh $options -p 2222 -N -L 127.0.0.1:8098:127.0.0.1:8099 -R 127.0.0.1:8097:127.0.0.1:8099 -D 127.0.0.1:1080 root@127.0.0.1 </dev/null & servers="$servers $!"
    for _ in $(seq 100); do ss -Hltn 'sport = :1080' | grep -q . && break; sleep 0.05; done; sleep 0.3
    check 'ssh -L' "$wanted" "$(curl -s http://127.0.0.1:8098/big | sum)"
    check 'ssh -R' "$wanted" "$(curl -s http://127.0.0.1:8097/big | sum)"
    check 'ssh -D' "$wanted" "$(curl -s --socks5 127.0.0.1:1080 http://127.0.0.1:8099/big | sum)" ;;
http)
    tls; mkdir lt nx; chmod 777 . lt nx
    printf 'server.document-root = "%s/www"\nserver.port = 8001\nserver.bind = "127.0.0.1"\nserver.errorlog = "%s/lt/log"\n' "$here" "$here" >lt.conf
    serve 8001 lighttpd.log lighttpd -D -f lt.conf
    printf 'daemon off; worker_processes 2; pid nx/pid; error_log nx/log; events { worker_connections 512; } http { access_log off; client_body_temp_path nx/b; proxy_temp_path nx/p; fastcgi_temp_path nx/f; uwsgi_temp_path nx/u; scgi_temp_path nx/s;
 upstream lt { server 127.0.0.1:8001; keepalive 8; }
 server { listen 127.0.0.1:8002; listen 127.0.0.1:8003 ssl http2; ssl_certificate cert.pem; ssl_certificate_key key.pem; root %s/www; location /l/ { proxy_pass http://lt/; proxy_http_version 1.1; proxy_set_header Connection ""; } } }' "$here" >nginx.conf
    serve 8002 nginx.log nginx -p "$here" -c "$here/nginx.conf"
    printf 'global\n maxconn 500\ndefaults\n mode http\n timeout connect 5s\n timeout client 9s\n timeout server 9s\nlisten h\n bind 127.0.0.1:8004\n server a 127.0.0.1:8001\n server b 127.0.0.1:8002\nlisten t\n mode tcp\n bind 127.0.0.1:8005\n server b 127.0.0.1:8002\nlisten s\n bind 127.0.0.1:8006 ssl crt %s/both.pem alpn h2,http/1.1\n server a 127.0.0.1:8001\n' "$here" >haproxy.cfg
    serve 8004 haproxy.log haproxy -db -f haproxy.cfg
    serve 8007 varnish.log varnishd -F -n "$here/v" -a 127.0.0.1:8007 -b 127.0.0.1:8001 -s malloc,100m
    printf 'http_port 127.0.0.1:8008\nhttp_access allow all\ncache_effective_user proxy\npid_filename none\naccess_log none\ncache_log %s/squid.cache\ncache deny all\nvisible_hostname test\nshutdown_lifetime 0 seconds\n' "$here" >squid.conf
    serve 8008 squid.log squid -N -f squid.conf
    for way in lighttpd=http://127.0.0.1:8001 nginx=http://127.0.0.1:8002 nginx-tls=https://127.0.0.1:8003 nginx-to-lighttpd=http://127.0.0.1:8002/l haproxy=http://127.0.0.1:8004 haproxy-tcp=http://127.0.0.1:8005 haproxy-tls=https://127.0.0.1:8006 varnish=http://127.0.0.1:8007; do
        name=${way%%=*} url=${way#*=}
        check "$name: curl" "$wanted" "$(curl -sk $url/big | sum)"
        check "$name: curl, HTTP/1.1" "$wanted" "$(curl -sk --http1.1 $url/big | sum)"
        check "$name: wget" "$wanted" "$(wget -q --no-check-certificate -O - $url/big | sum)"
        check "$name: a range" "$(tail -c +1001 big | head -c 5000 | sum)" "$(curl -sk -r 1000-5999 $url/big | sum)"
        check "$name: 20 at once" "$(for _ in $(seq 20); do echo "$(sum small)"; done | sum)" "$(seq 20 | xargs -P 20 -I{} sh -c "curl -sk $url/small | sha1sum | cut -c1-40" | sum)"
        timeout 30 ab -q -n 400 -c 8 $url/small >ab.log 2>&1; check "$name: ab" "0 0" "$? $(awk '/^Failed/ { print $3 }' ab.log)"
        timeout 30 ab -q -k -n 1000 -c 8 $url/small >ab.log 2>&1; check "$name: ab, keep-alive" "0 0" "$? $(awk '/^Failed/ { print $3 }' ab.log)"
        timeout 30 h2load --h1 -n 1000 -c 8 $url/small >h2.log 2>&1; check "$name: h2load --h1" 1000 "$(sed -n 's/^requests:.* \([0-9]*\) succeeded.*/\1/p' h2.log)"
    done
    timeout 30 h2load -n 2000 -c 4 -m 20 https://127.0.0.1:8003/small >h2.log 2>&1; check "nginx: h2load" 2000 "$(sed -n 's/^requests:.* \([0-9]*\) succeeded.*/\1/p' h2.log)"
    timeout 30 h2load -n 2000 -c 4 -m 20 https://127.0.0.1:8006/small >h2.log 2>&1; check "haproxy: h2load" 2000 "$(sed -n 's/^requests:.* \([0-9]*\) succeeded.*/\1/p' h2.log)"
    check "squid" "$wanted" "$(curl -s -x http://127.0.0.1:8008 http://127.0.0.1:8001/big | sum)"
    check "squid, CONNECT" "$wanted" "$(curl -sk --proxytunnel -x http://127.0.0.1:8008 https://127.0.0.1:8003/big | sum)"
    timeout 30 ab -q -k -n 500 -c 8 -X 127.0.0.1:8008 http://127.0.0.1:8001/small >ab.log 2>&1; check "squid: ab" "0 0" "$? $(awk '/^Failed/ { print $3 }' ab.log)"
    kill -HUP "$(cat nx/pid)"; sleep 0.5; check "nginx after reload" "$wanted" "$(curl -s http://127.0.0.1:8002/l/big | sum)" ;;
messages)
    serve 1883 mosquitto.log mosquitto -p 1883
    timeout 20 mosquitto_sub -h 127.0.0.1 -t big -C 1 -q 1 >got & s=$!
    timeout 20 mosquitto_sub -h 127.0.0.1 -t 'many/#' -C 500 -q 2 >many & m=$!
    sleep 1
    mosquitto_pub -h 127.0.0.1 -t big -q 1 -f big; check "mosquitto_pub of 30 MB" 0 $?
    wait $s; head -c 30000000 got | cmp -s - big; check "mosquitto_sub of 30 MB" 0 $?
    seq 500 | mosquitto_pub -h 127.0.0.1 -t many/x -q 2 -l; check "mosquitto_pub, 500 lines" 0 $?
    wait $m; check "mosquitto_sub, 500 messages" "$(seq 500 | sum)" "$(sum many)"
    serve 6379 redis.log redis-server --port 6379 --save ''
    redis-benchmark -q -n 2000 -P 3 >out 2>&1; check "redis-benchmark, all kinds" 0 $?
    serve 11311 memcached.log memcached -u root -p 11311 -l 127.0.0.1 -I 64m -m 256
    (printf 'set big 0 0 30000000\r\n'; cat big; printf '\r\nget big\r\nquit\r\n') | timeout 20 socat -t 10 - TCP:127.0.0.1:11311 | tail -c +$((8 + 22 + 1)) | head -c 30000000 | cmp - big; check "memcached: 30 MB" 0 $? ;;
esac
