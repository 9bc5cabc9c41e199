# The rule by which make writes the SQL as a C source: read by nginx's
# configure when it writes the Makefile.

fieldgate_sql=`ls $ngx_addon_dir/*.sql | paste -s -d' '`

cat << END                                                    >> $NGX_MAKEFILE

$fieldgate_schema:	$fieldgate_sql $ngx_addon_dir/compile
	mkdir -p `dirname $fieldgate_schema`
	$ngx_addon_dir/compile $fieldgate_sql > $fieldgate_schema.new
	mv -f $fieldgate_schema.new $fieldgate_schema

END
