# The rule by which make writes the SQL as a C source: read by nginx's
# configure when it writes the Makefile.
#
# It runs each time, and what comes out the same keeps its time: a file may be
# new, or older than what was there before, from an archive or another branch.

cat << END                                                    >> $NGX_MAKEFILE

$fieldgate_schema:	fieldgate_schema_always
	mkdir -p `dirname $fieldgate_schema`
	$ngx_addon_dir/compile $ngx_addon_dir/*.sql \\
		> $fieldgate_schema.new
	cmp -s $fieldgate_schema.new $fieldgate_schema \\
	|| mv -f $fieldgate_schema.new $fieldgate_schema

fieldgate_schema_always:

END
