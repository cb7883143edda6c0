#!/usr/bin/env bash
# Puts llvmpipe of Mesa 26 into .mesa, a software driver that has the extension of Vulkan behind matrix units
# (VK_KHR_cooperative_matrix), with every library that it needs down to the C library: packages of Debian 13 and its backports, unpacked
# beside the system and not installed. Needs apt, on a Debian of any age, and no rights.
#
#   tools/mesa/install.sh            once; nothing to do where it is there
#   .mesa/run node program.mjs       runs a program with these libraries and this driver
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$PWD/.mesa
key=/usr/share/keyrings/debian-archive-keyring.gpg
if [[ -x $folder/run ]]; then exit 0; fi
command -v apt-get dpkg >/dev/null || { printf 'apt-get and dpkg are needed\n' >&2; exit 1; }

# The same place from which this machine gets the distribution itself.
uri=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' | grep -v -e security | sort -u | head -n 1)
[[ -n $uri && -e $key ]] || { printf 'apt knows no place of Debian here, or has no %s\n' "$key" >&2; exit 1; }

rm -rf "$folder"
mkdir -p "$folder"/apt/{state/lists,cache/archives}/partial "$folder/files"
: >"$folder/apt/status"
for suite in trixie trixie-backports; do printf 'deb [signed-by=%s] %s %s main\n' "$key" "$uri" "$suite"; done >"$folder/apt/sources.list"
apt=(apt-get -qq
  -o Dir::Etc::SourceList="$folder/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
  -o Dir::State="$folder/apt/state" -o Dir::State::Status="$folder/apt/status" -o Dir::Cache="$folder/apt/cache"
  -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false)
timeout 120 "${apt[@]}" update
timeout 300 "${apt[@]}" install -y --download-only --no-install-recommends -t trixie-backports mesa-vulkan-drivers libvulkan1 >/dev/null
for package in "$folder"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$folder/files"; done
rm -rf "$folder/apt"

loader=$(find "$folder/files" -name 'ld-linux-*.so.*' -type f | head -n 1)
driver=$(find "$folder/files" -name libvulkan_lvp.so | head -n 1)
[[ -n $loader && -n $driver ]] || { printf 'the packages hold no C library, or no llvmpipe\n' >&2; exit 1; }
printf '{"file_format_version":"1.0.1","ICD":{"library_path":"%s","api_version":"1.4.0"}}\n' "$driver" >"$folder/llvmpipe.json"
cat >"$folder/run" <<END
#!/bin/sh
# Runs a program with the libraries and the driver of this folder.
program=\$(command -v "\$1") || { echo "\$1: not found" >&2; exit 127; }
shift
export VK_DRIVER_FILES='$folder/llvmpipe.json'
exec '$loader' --library-path '$(dirname "$driver")' "\$program" "\$@"
END
chmod +x "$folder/run"
